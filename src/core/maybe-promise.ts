/**
 * A value, or a promise of it when something has to be waited for. Most requests wait for nothing but the store, and an
 * `await` costs a turn of the microtask queue even when its value is there.
 */
export type MaybePromise<T> = T | Promise<T>;

/** Continues with a value: at once, or when its promise is fulfilled. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
