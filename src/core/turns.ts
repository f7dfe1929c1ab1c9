import { performance } from 'node:perf_hooks';
import { FairQueue, type Piece } from './fair-queue.ts';

/** Stands for all requests without a verified signature, where callers are told apart. */
export const strangers = 'strangers';

/** Owner of work of a whole turn or more for such requests: it does not delay shorter work. */
export const strangersLongWork = 'strangers, whole turns';

/** Owner of TLS handshakes, whose clients nobody knows yet. */
export const strangersHandshakes = 'strangers, TLS handshakes';

/** Owner of requests to the admin listener, which asks for no credentials. */
export const strangersAdmin = 'strangers, admin listener';

const ownersOfStrangers: ReadonlySet<string> = new Set([
  strangers,
  strangersLongWork,
  strangersHandshakes,
  strangersAdmin,
]);

/** Work of known callers, and that of strangers. */
const known = new FairQueue();
const unknown = new FairQueue();

/** Strangers come first in one of so many turns, and last in the others: neither can keep the other from its work. */
const strangersEvery = 4;

/** Turns that have begun. */
let turns = 0;

/** The part of this turn that has been given away. */
let given = 0;

/** How long a turn is meant to be, in milliseconds. */
const turnMs = 2;

/** Owners whose last piece took several turns, and until when they begin nothing, by the monotonic clock in milliseconds. */
const resting = new Map<string, number>();

/** Ends the rest of the owner that has rested first. */
let rested: NodeJS.Timeout | undefined;

/** True while a turn is coming. Only one at a time, or several would begin in one turn of the event loop. */
let isComing = false;

/** True while nothing is coming but the end of the current turn. */
let isEnding = false;

/** Who takes turns. */
export interface TurnOwner {
  /** The ARN of the user or role. */
  readonly owner: string;
  /** The ARN of the caller: many act as one role. */
  readonly session: string;
}

/** A turn that has been asked for. */
export interface AwaitedTurn {
  /** Fulfilled when it comes; never once it is abandoned. */
  readonly comes: Promise<void>;
  /** Leaves the queue, so that what follows waits no longer for it. */
  readonly abandon: () => void;
}

/**
 * Waits for a turn of the event loop: long pieces of work of many requests do not add up to one long pause for everyone else.
 * Each turn begins as many pieces as fit into a few milliseconds, by the share that each says it takes. A piece of
 * a whole turn or more has one for itself, and after a longer one its owner begins nothing for as long as so many turns take. The owner that has been
 * given least comes first: one that has hundreds of requests waiting hardly delays another, and neither does a client that acts as
 * many owners. All strangers together are given a quarter of the turns, or what others leave.
 *
 * @param owner the ARN of the role or user that the work is for
 * @param session the ARN of the caller, where many act as the owner
 */
export function nextTurn(owner: string, session: string = owner, share = 1): Promise<void> {
  return new Promise((resolve) => enqueue(owner, session, { share, begin: resolve }));
}

/** The same for a request that may have to stop waiting. */
export function askForTurn(owner: string, session: string = owner, share = 1): AwaitedTurn {
  const { promise: comes, resolve } = withResolver();
  const piece = { share, begin: resolve };
  enqueue(owner, session, piece);
  return { comes, abandon: () => queueOf(owner).remove(owner, session, piece) };
}

/** Makes an owner rest for as long as a piece of its work has taken beyond its turn, where that could not be told beforehand. */
export function restAfter(owner: string, tookMs: number): void {
  if (tookMs <= turnMs) return;
  const until = performance.now() + tookMs - turnMs;
  resting.set(owner, Math.max(until, resting.get(owner) ?? until));
}

/**
 * True when work of that share may be done at once: no work is waiting, and it fits into this turn, of which it is given the share.
 * A piece of a whole turn or more always waits for one.
 */
export function takeShare(owner: string, share: number): boolean {
  if (!isIdle() || isResting(owner) || share >= 1 || given + share > 1) return false;
  given += share;
  endLater();
  return true;
}

function isIdle(): boolean {
  return known.isEmpty && unknown.isEmpty;
}

function queueOf(owner: string): FairQueue {
  return ownersOfStrangers.has(owner) ? unknown : known;
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

function enqueue(owner: string, session: string, piece: Piece): void {
  queueOf(owner).add(owner, session, piece);
  schedule();
}

function schedule(): void {
  if (isComing) return;
  clearTimeout(rested);
  isComing = true;
  setImmediate(beginTurn);
}

function beginTurn(): void {
  isComing = false;
  given = 0;
  turns += 1;
  const begun: Piece[] = [];
  const inOrder = turns % strangersEvery === 0 ? [unknown, known] : [known, unknown];
  for (const queue of inOrder) {
    fillTurn(queue, begun);
    queue.forgetServed();
  }
  for (const { begin } of begun) begin();
  if (isIdle()) endLater();
  else if (begun.length > 0) schedule();
  else scheduleRested();
}

/** Only owners that rest have work: the next turn comes when the first of them has rested. */
function scheduleRested(): void {
  const nowMs = performance.now();
  let firstMs = Number.POSITIVE_INFINITY;
  for (const [owner, until] of resting) {
    // Of those that have rested nothing waits, or a turn would have begun.
    if (until <= nowMs) resting.delete(owner);
    else firstMs = Math.min(firstMs, until);
  }
  rested = setTimeout(schedule, Number.isFinite(firstMs) ? Math.ceil(firstMs - nowMs) : 1);
}

function isResting(owner: string): boolean {
  const until = resting.get(owner);
  if (until === undefined) return false;
  if (until > performance.now()) return true;
  resting.delete(owner);
  return false;
}

/** Takes as many pieces as still fit into this turn. The first piece of a turn always fits. */
function fillTurn(queue: FairQueue, begun: Piece[]): void {
  for (;;) {
    const room = begun.length === 0 ? Number.POSITIVE_INFINITY : 1 - given;
    const taken = queue.take(room, isResting);
    if (taken === undefined) return;
    const [owner, piece] = taken;
    given += piece.share;
    if (piece.share > 1) resting.set(owner, performance.now() + (piece.share - 1) * turnMs);
    begun.push(piece);
  }
}

/** Frees what has been given when the turn is over, if no turn is coming that does so. */
function endLater(): void {
  if (isComing || isEnding) return;
  isEnding = true;
  setImmediate(() => {
    isEnding = false;
    given = 0;
  });
}
