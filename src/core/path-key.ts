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

/** Another key under which some store finds the same object. */
export interface KeyAlias {
  readonly key: string;
  /** True when an Allow need not cover it: only a Deny on it counts. */
  readonly isDenyOnly?: true;
}

/**
 * Other keys that a store might read when it copies from this one. Observed on 2026-11-28: Ceph RGW 16 decodes the source
 * of UploadPartCopy twice, so that `%41` in a key becomes `A`; versitygw 1.8 copies a part from `k` for the source `k/`.
 */
export function aliasesOfSource(key: string): readonly KeyAlias[] {
  const keys = new Set([key, decodeAgain(key)]);
  for (const name of [...keys]) if (name.endsWith('/')) keys.add(withoutFinalSlashes(name));
  keys.delete(key);
  keys.delete('');
  return [...keys].map((name) => ({ key: name }));
}

/**
 * Other keys whose tags, retention or legal hold a store might return for this one: `k/` and `k` are one file in versitygw 1.8
 * (observed on 2026-11-28). For `k`, an Allow on `k/` is not required: a role that is allowed `*.csv` has none.
 */
export function aliasesOfSubresource(key: string): readonly KeyAlias[] {
  if (!key.endsWith('/')) return [{ key: `${key}/`, isDenyOnly: true }];
  const name = withoutFinalSlashes(key);
  return name === '' ? [] : [{ key: name }];
}

/**
 * Another key that a store might delete with this one: versitygw 1.8 deletes `k/` with the version `null` of `k`, and with `k`
 * where versioning is suspended (observed on 2026-11-29).
 */
export function aliasesOfDeleted(key: string): readonly KeyAlias[] {
  return key.endsWith('/') ? [] : [{ key: `${key}/`, isDenyOnly: true }];
}

/** A key with its percent-escapes decoded, as far as it has any. */
export function decodeAgain(key: string): string {
  if (!key.includes('%')) return key;
  const bytes = Buffer.from(key).toString('latin1');
  const decoded = bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1').toString();
}

function withoutFinalSlashes(key: string): string {
  let end = key.length;
  while (key[end - 1] === '/') end -= 1;
  return key.slice(0, end);
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
