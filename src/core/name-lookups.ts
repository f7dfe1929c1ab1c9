import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { performance } from 'node:perf_hooks';

type Answer = Parameters<LookupFunction>[2];
type Failure = NodeJS.ErrnoException;

/** A connection that waits for the addresses of a name. */
interface Waiter {
  readonly wantsAll: boolean;
  readonly answer: Answer;
  /** Ends the waiting in time. */
  readonly timer: NodeJS.Timeout;
}

/** A name that is asked for. */
interface Question {
  readonly options: LookupOptions;
  readonly waiters: Set<Waiter>;
}

/** A failed look-up that took longer than this is not repeated at once. */
const slowMs = 1_000;

/**
 * Looks up names for connections of one kind, one at a time for all of them. The system's resolver (getaddrinfo) occupies a thread of
 * libuv's pool for as long as a name server is silent, and cannot be cancelled. Two of the four threads do such work. When
 * both wait for the names of providers, the names of the store and of Redis are not looked up.
 *
 * A look-up outlives the connections that asked for it. Until it has ended, those that ask for the same name share it, and
 * other names queue. Addresses are never kept.
 */
export class NameLookups {
  readonly #waitMs: number;
  readonly #longestRestMs: number;
  /** By name, in the order of asking. The first one is being looked up. */
  readonly #questions = new Map<string, Question>();
  #current: string | undefined;
  /** Names whose look-up has failed after a long time. They rest for as long, so that others get half of the time. */
  readonly #resting = new Map<string, { readonly untilMs: number; readonly failure: Failure }>();

  /**
   * @param waitMs how long a connection waits
   * @param longestRestMs how long a name rests at most whose look-up has failed after a long time
   */
  constructor(waitMs: number, longestRestMs: number) {
    this.#waitMs = waitMs;
    this.#longestRestMs = longestRestMs;
  }

  /** Takes the place of `dns.lookup` for a socket. */
  readonly lookup: LookupFunction = (name, options, answer) => {
    const rest = this.#resting.get(name);
    if (rest !== undefined && performance.now() < rest.untilMs) {
      process.nextTick(answer, rest.failure, []);
      return;
    }
    const question = this.#questions.get(name) ?? { options, waiters: new Set() };
    this.#questions.set(name, question);
    const timer = setTimeout(() => this.#giveUp(name, question, waiter), this.#waitMs).unref();
    const waiter: Waiter = { wantsAll: options.all === true, answer, timer };
    question.waiters.add(waiter);
    this.#startNext();
  };

  /** A name without waiters is not looked up. */
  #giveUp(name: string, question: Question, waiter: Waiter): void {
    question.waiters.delete(waiter);
    if (question.waiters.size === 0 && name !== this.#current) this.#questions.delete(name);
    waiter.answer(Object.assign(new Error('name look-up timed out'), { code: 'ETIMEDOUT' }), []);
  }

  #startNext(): void {
    const [next] = this.#questions;
    if (this.#current !== undefined || next === undefined) return;
    const [name, { options, waiters }] = next;
    this.#current = name;
    const startedMs = performance.now();
    // Read at each call, as `net` does, so that a replacement takes effect here too.
    dns.lookup(name, { ...options, all: true }, (failure, addresses) => {
      this.#current = undefined;
      this.#questions.delete(name);
      this.#noteRest(name, startedMs, failure);
      this.#startNext();
      for (const waiter of waiters) settle(waiter, failure, addresses);
    });
  }

  #noteRest(name: string, startedMs: number, failure: Failure | null): void {
    const nowMs = performance.now();
    const tookMs = nowMs - startedMs;
    for (const [rested, { untilMs }] of this.#resting) if (untilMs <= nowMs) this.#resting.delete(rested);
    if (failure !== null && tookMs > slowMs)
      this.#resting.set(name, { untilMs: nowMs + Math.min(tookMs, this.#longestRestMs), failure });
  }
}

function settle({ wantsAll, answer, timer }: Waiter, failure: Failure | null, found: LookupAddress[]): void {
  clearTimeout(timer);
  const [first] = found ?? [];
  if (failure !== null) answer(failure, []);
  else if (wantsAll || first === undefined) answer(null, found);
  else answer(null, first.address, first.family);
}
