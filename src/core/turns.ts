/** What waits of one owner, by session. The session at the front is next. */
type Sessions = Map<string, (() => void)[]>;

/** What waits, by its owner. The owner at the front is next. */
const waiting = new Map<string, Sessions>();

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
 * hundreds of requests waiting delays another's first by a single piece. The sessions of an owner share its turns in the same way.
 * @param owner the ARN of the role or user that the work is for
 * @param session the ARN of the caller, where many act as the owner
 */
export function nextTurn(owner: string, session: string = owner): Promise<void> {
  return new Promise((resolve) => enqueue(owner, session, resolve));
}

/** The same for a request that may have to stop waiting. */
export function askForTurn(owner: string, session: string = owner): AwaitedTurn {
  const { promise: comes, resolve } = withResolver();
  enqueue(owner, session, resolve);
  return { comes, abandon: () => remove(owner, session, resolve) };
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

function enqueue(owner: string, session: string, resolve: () => void): void {
  const sessions = waiting.get(owner);
  const own = sessions?.get(session);
  if (own !== undefined) own.push(resolve);
  else if (sessions !== undefined) sessions.set(session, [resolve]);
  else waiting.set(owner, new Map([[session, [resolve]]]));
  schedule();
}

function remove(owner: string, session: string, resolve: () => void): void {
  const sessions = waiting.get(owner);
  const own = sessions?.get(session);
  const position = own?.indexOf(resolve) ?? -1;
  if (sessions === undefined || own === undefined || position < 0) return;
  own.splice(position, 1);
  if (own.length === 0) sessions.delete(session);
  if (sessions.size === 0) waiting.delete(owner);
}

function schedule(): void {
  if (isComing) return;
  isComing = true;
  setImmediate(serveNext);
}

function serveNext(): void {
  isComing = false;
  const resolve = takeFirst(waiting, (sessions) => takeFirst(sessions, (own) => own.shift()));
  if (waiting.size > 0) schedule();
  resolve?.();
}

/** Takes something of the first entry, which then goes to the end, or away when nothing is left of it. */
function takeFirst<V extends Sessions | (() => void)[]>(
  entries: Map<string, V>,
  take: (value: V) => (() => void) | undefined,
): (() => void) | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  const [name, value] = first;
  const taken = take(value);
  entries.delete(name);
  if ((Array.isArray(value) ? value.length : value.size) > 0) entries.set(name, value);
  return taken;
}
