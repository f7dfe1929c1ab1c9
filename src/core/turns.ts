/** What waits, by its owner. The owner at the front is next. */
const waiting = new Map<string, (() => void)[]>();

/** True while a turn is coming. Only one at a time, or a turn of the event loop would run several continuations. */
let isComing = false;

/** A turn that has been asked for. */
export interface AwaitedTurn {
  /** Fulfilled when it comes; never once it is abandoned. */
  readonly comes: Promise<void>;
  /** Leaves the queue, so that what follows waits no longer for it. */
  readonly abandon: () => void;
}

/**
 * Waits for a turn of the event loop. Each turn runs the continuation of only one caller, however many are waiting, so long
 * pieces of work of many requests do not add up to one long pause for everyone else. Owners take turns: one that has
 * hundreds of requests waiting delays another's first by a single piece.
 * @param owner the ARN of the principal that the work is for
 */
export function nextTurn(owner: string): Promise<void> {
  return new Promise((resolve) => enqueue(owner, resolve));
}

/** The same for a request that may have to stop waiting. */
export function askForTurn(owner: string): AwaitedTurn {
  const { promise: comes, resolve } = withResolver();
  enqueue(owner, resolve);
  return { comes, abandon: () => remove(owner, resolve) };
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

function enqueue(owner: string, resolve: () => void): void {
  const own = waiting.get(owner);
  if (own === undefined) waiting.set(owner, [resolve]);
  else own.push(resolve);
  schedule();
}

function remove(owner: string, resolve: () => void): void {
  const own = waiting.get(owner);
  const position = own?.indexOf(resolve) ?? -1;
  if (own === undefined || position < 0) return;
  own.splice(position, 1);
  if (own.length === 0) waiting.delete(owner);
}

function schedule(): void {
  if (isComing) return;
  isComing = true;
  setImmediate(serveNext);
}

function serveNext(): void {
  isComing = false;
  const [next] = waiting;
  if (next === undefined) return;
  const [owner, own] = next;
  const resolve = own.shift();
  waiting.delete(owner);
  if (own.length > 0) waiting.set(owner, own);
  if (waiting.size > 0) schedule();
  resolve?.();
}
