import { type AwaitedTurn, askForTurn, takeShare } from '../core/turns.ts';
import { strangers } from './place.ts';

/** What one request takes of a turn of the event loop, if the last one of its connection did not take longer. */
const shareOfStranger: number = 1 / 16;
const shareOfCaller: number = 1 / 32;
/** Requests of strangers, or of one caller, are worked on for this long in one turn. Parsing them takes as long again. */
const turnMs = 2;
const mostShare = 0.5;

/**
 * Says in which turn of the event loop the requests of one connection begin. Each connection has its next request ready when the
 * last one is answered, so one caller with 300 connections made every turn last for 50 ms and more: everybody else waited for
 * several of them, and new connections, of which Node accepts one in a turn, for seconds. Requests of all strangers share their
 * turns, and so do those of one user or role.
 *
 * The first request of a connection begins at once: a client that opens one for each request is slowed down by opening it.
 */
export class RequestTurns {
  #caller: string | undefined;
  #isFirst = true;
  #lastMs = 0;

  /** True once a caller is known on the connection. */
  get isKnown(): boolean {
    return this.#caller !== undefined;
  }

  /** @param caller the ARN of the user or role that the last request of the connection came from */
  know(caller: string): void {
    this.#caller = caller;
  }

  /** Notes how long the last request was worked on before it had to wait for anything, in milliseconds. */
  noteWork(milliseconds: number): void {
    this.#lastMs = milliseconds;
  }

  /** True when the next request may begin in this turn, of which it then has its share. */
  mayBegin(): boolean {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return isFirst || takeShare(this.#owner, this.#share);
  }

  /** The turn in which the next request may begin. */
  ask(): AwaitedTurn {
    return askForTurn(this.#owner, 'requests', this.#share);
  }

  get #owner(): string {
    return this.#caller ?? strangers;
  }

  get #share(): number {
    const share = Math.max(this.isKnown ? shareOfCaller : shareOfStranger, this.#lastMs / turnMs);
    return Math.min(share, mostShare);
  }
}
