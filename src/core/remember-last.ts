/**
 * Remembers the last result of a pure function. Made for times: all requests of one second share their timestamps,
 * and formatting a date costs more than a hash.
 */
export function rememberLast<A extends number | string, R>(compute: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: compute(argument) };
    return last.result;
  };
}
