/** Work that waits. */
interface Piece {
  /** The part of a turn that it takes. More than 1 for work that takes several. */
  readonly share: number;
  readonly begin: () => void;
}

/** What waits of one owner, by session. The session at the front is next. */
type Sessions = Map<string, Piece[]>;

/** What waits, by its owner. The owner at the front is next. */
const waiting = new Map<string, Sessions>();

/** The part of this turn that has been given away. */
let given = 0;

/** Owners whose last piece took several turns, with the number of those in which they still begin nothing. */
const resting = new Map<string, number>();

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
 * Each turn begins as many pieces of one owner as fit into a few milliseconds, by the share that each says it takes. A piece of
 * a whole turn or more has one for itself, and after a longer one its owner begins nothing for as many turns. Owners take
 * turns: one that has hundreds of requests waiting delays another's first by a single turn. The sessions of an owner share its
 * turns in the same way.
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
  return { comes, abandon: () => remove(owner, session, piece) };
}

/**
 * True when work of that share may be done at once: no work is waiting, and it fits into this turn, of which it is given the share.
 * A piece of a whole turn or more always waits for one.
 */
export function takeShare(owner: string, share: number): boolean {
  if (waiting.size > 0 || resting.has(owner) || share >= 1 || given + share > 1) return false;
  given += share;
  endLater();
  return true;
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

function enqueue(owner: string, session: string, piece: Piece): void {
  const sessions = waiting.get(owner);
  const own = sessions?.get(session);
  if (own !== undefined) own.push(piece);
  else if (sessions !== undefined) sessions.set(session, [piece]);
  else waiting.set(owner, new Map([[session, [piece]]]));
  schedule();
}

function remove(owner: string, session: string, piece: Piece): void {
  const sessions = waiting.get(owner);
  const own = sessions?.get(session);
  const position = own?.indexOf(piece) ?? -1;
  if (sessions === undefined || own === undefined || position < 0) return;
  own.splice(position, 1);
  if (own.length === 0) sessions.delete(session);
  if (sessions.size === 0) waiting.delete(owner);
}

function schedule(): void {
  if (isComing) return;
  isComing = true;
  setImmediate(beginTurn);
}

function beginTurn(): void {
  isComing = false;
  given = 0;
  countRests();
  for (const [owner, sessions] of waiting) {
    if (resting.has(owner)) continue;
    const begun = takeFitting(owner, sessions);
    if (begun.length === 0) break;
    // It has had its part of this turn, so the others come first in the next one.
    waiting.delete(owner);
    if (sessions.size > 0) waiting.set(owner, sessions);
    for (const { begin } of begun) begin();
    if (sessions.size > 0 || given >= 1) break;
  }
  if (waiting.size > 0 || resting.size > 0) schedule();
  else endLater();
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

function countRests(): void {
  for (const [owner, turns] of resting) {
    if (turns > 0) resting.set(owner, turns - 1);
    else resting.delete(owner);
  }
}

/** Takes what fits into this turn, one piece of each session after the other. The first piece of a turn always fits. */
function takeFitting(owner: string, sessions: Sessions): readonly Piece[] {
  const taken: Piece[] = [];
  for (const [session, own] of sessions) {
    const [piece] = own;
    if (piece === undefined || (given > 0 && given + piece.share > 1)) break;
    own.shift();
    // A map goes on with what is added to its end.
    sessions.delete(session);
    if (own.length > 0) sessions.set(session, own);
    given += piece.share;
    if (piece.share > 1) resting.set(owner, piece.share - 1);
    taken.push(piece);
  }
  return taken;
}
