import { type AwaitedTurn, askForTurn, strangers, type TurnOwner, takeShare } from '../core/turns.ts';

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
 * turns, and so do those of one user or role. Of strangers, the first requests of new connections take turns by the networks of
 * their clients.
 */
export class RequestTurns {
  readonly #network: string;
  #caller: TurnOwner | undefined;
  #wasKnown = false;
  #hasBegun = false;
  #lastMs = 0;

  /** @param network the network of the client */
  constructor(network: string) {
    this.#network = network;
  }

  /** True when the last request of the connection came from a known caller. */
  get isKnown(): boolean {
    return this.#caller !== undefined;
  }

  /** @param caller who the last request of the connection came from; `undefined` until it has been authenticated */
  know(caller: TurnOwner | undefined): void {
    this.#caller = caller;
    this.#wasKnown ||= caller !== undefined;
  }

  /** True once a request of the connection has come from a known caller. */
  get wasKnown(): boolean {
    return this.#wasKnown;
  }

  /** Notes how long the last request was worked on before it had to wait for anything, in milliseconds. */
  noteWork(milliseconds: number): void {
    this.#hasBegun = true;
    this.#lastMs = milliseconds;
  }

  /** True when the next request may begin in this turn, of which it then has its share. */
  mayBegin(): boolean {
    return takeShare(this.#owner, this.#share);
  }

  /** The turn in which the next request may begin. */
  ask(): AwaitedTurn {
    const session =
      this.#caller?.session ?? (this.#hasBegun ? 'requests' : `first requests of ${this.#network}`);
    return askForTurn(this.#owner, session, this.#share);
  }

  /** True for a stranger's request that may be dropped where there is no room for what waits. */
  get givesWay(): boolean {
    return this.#hasBegun && !this.isKnown;
  }

  get #owner(): string {
    return this.#caller?.owner ?? strangers;
  }

  get #share(): number {
    const share = Math.max(this.isKnown ? shareOfCaller : shareOfStranger, this.#lastMs / turnMs);
    return Math.min(share, mostShare);
  }
}
