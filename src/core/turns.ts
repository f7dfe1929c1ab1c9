const waiting: (() => void)[] = [];

/**
 * Waits for a turn of the event loop. Each turn runs the continuation of only one caller, however many are waiting, so long
 * pieces of work of many requests do not add up to one long pause for everyone else.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(serveNext);
  });
}

function serveNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(serveNext);
}
