const maxRemembered = 16;

/**
 * Remembers the latest results of a pure function. Made for times: the requests of one moment share a few
 * timestamps, theirs and ours, and formatting a date costs more than a hash.
 */
export function rememberRecent<A extends number | string, R>(
  compute: (argument: A) => R,
): (argument: A) => R {
  const recent = new Map<A, { readonly result: R }>();
  return (argument) => {
    const known = recent.get(argument);
    if (known !== undefined) return known.result;
    if (recent.size >= maxRemembered) recent.clear();
    const result = compute(argument);
    recent.set(argument, { result });
    return result;
  };
}
