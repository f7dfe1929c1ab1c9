/** What waits, by its owner. The owner at the front is next. */
const waiting = new Map<string, (() => void)[]>();

/**
 * Waits for a turn of the event loop. Each turn runs the continuation of only one caller, however many are waiting, so long
 * pieces of work of many requests do not add up to one long pause for everyone else. Owners take turns: one that has
 * hundreds of requests waiting delays another's first by a single piece.
 * @param owner the ARN of the principal that the work is for
 */
export function nextTurn(owner: string): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.size === 0) setImmediate(serveNext);
    const own = waiting.get(owner);
    if (own === undefined) waiting.set(owner, [resolve]);
    else own.push(resolve);
  });
}

function serveNext(): void {
  const [next] = waiting;
  if (next === undefined) return;
  const [owner, own] = next;
  const resolve = own.shift();
  waiting.delete(owner);
  if (own.length > 0) waiting.set(owner, own);
  if (waiting.size > 0) setImmediate(serveNext);
  resolve?.();
}
