/**
 * The names that a key has in stores that treat keys as paths: without empty, `.` and `..` segments, never above
 * the first one; with `/` alone between segments, and with `\` as well. Only those that differ from the key, so none for
 * an ordinary one. A final slash is kept. Observed with versitygw 1.8 on 2026-11-23: `a/../b`, `./b` and `/b` name the
 * object `b`; SeaweedFS reads backslashes as slashes.
 */
export function pathsOfKey(key: string): readonly string[] {
  if (!unusual.test(key)) return none;
  const paths = new Set(separators.map((separator) => pathOf(key, separator)));
  paths.delete(key);
  return [...paths];
}

/** True when a key, read as a path, names nothing below the bucket, or leaves the bucket on the way. */
export function leavesItsBucket(key: string): boolean {
  return (
    unusual.test(key) &&
    separators.some((separator) => pathOf(key, separator) === '' || climbs(key, separator))
  );
}

/** True when a prefix of keys, read as a path, leaves the bucket. */
export function climbsOut(prefix: string): boolean {
  return prefix.includes('..') && separators.some((separator) => climbs(prefix, separator));
}

const none: readonly string[] = [];
const unusual = /\\|^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;
const separators: readonly RegExp[] = [/\//, /[\\/]/];

function pathOf(key: string, separator: RegExp): string {
  const names: string[] = [];
  for (const segment of key.split(separator)) {
    if (segment === '..') names.pop();
    else if (segment !== '' && segment !== '.') names.push(segment);
  }
  const path = names.join('/');
  return separator.test(key.slice(-1)) && path !== '' ? `${path}/` : path;
}

// AWS's rule for relative path elements: reading from the left, there may never be more `..` than names.
function climbs(key: string, separator: RegExp): boolean {
  let depth = 0;
  for (const segment of key.split(separator)) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
