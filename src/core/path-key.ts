/**
 * The names that a key has in stores that treat keys as paths: without empty, `.` and `..` segments, never above
 * the first one; with `/` alone between segments, and with `\` as well. Only those that differ from the key, so none for
 * an ordinary one. A final slash is kept. Observed with versitygw 1.8 on 2026-11-23: `a/../b`, `./b` and `/b` name the
 * object `b`; SeaweedFS reads backslashes as slashes.
 */
export function pathsOfKey(key: string): readonly string[] {
  if (!unusual.test(key)) return none;
  const paths = new Set(readings(key).map((readsBackslashes) => pathOf(key, readsBackslashes)));
  paths.delete(key);
  return [...paths];
}

/** True when a key, read as a path, names nothing below the bucket, or leaves the bucket on the way. */
export function leavesItsBucket(key: string): boolean {
  return unusual.test(key) && readings(key).some((readsBackslashes) => depthOf(key, readsBackslashes) <= 0);
}

/** True when a prefix of keys, read as a path, leaves the bucket. */
export function climbsOut(prefix: string): boolean {
  return (
    prefix.includes('..') &&
    readings(prefix).some((readsBackslashes) => depthOf(prefix, readsBackslashes) < 0)
  );
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
const slash = 47;
const backslash = 92;
const dot = 46;

/** A number of a segment's kind: what it does to the depth of a path. */
function stepOf(key: string, start: number, end: number): -1 | 0 | 1 {
  const length = end - start;
  if (length === 0 || (length === 1 && key.charCodeAt(start) === dot)) return 0;
  return length === 2 && key.startsWith('..', start) ? -1 : 1;
}

/** Calls `visit` for each segment, without making a string of it: a key of 1 KiB may have 500. Stops where that is false. */
function everySegment(
  key: string,
  readsBackslashes: boolean,
  visit: (start: number, end: number) => boolean,
): boolean {
  let start = 0;
  for (let at = 0; at <= key.length; at += 1) {
    if (at < key.length && !isSeparator(key.charCodeAt(at), readsBackslashes)) continue;
    if (!visit(start, at)) return false;
    start = at + 1;
  }
  return true;
}

function isSeparator(code: number, readsBackslashes: boolean): boolean {
  return code === slash || (readsBackslashes && code === backslash);
}

function pathOf(key: string, readsBackslashes: boolean): string {
  // Each name with a slash in front.
  const path = new Uint16Array(key.length + 2);
  let length = 0;
  everySegment(key, readsBackslashes, (start, end) => {
    const step = stepOf(key, start, end);
    if (step > 0) {
      path[length] = slash;
      for (let at = start; at < end; at += 1) path[length + 1 + at - start] = key.charCodeAt(at);
      length += 1 + end - start;
    } else if (step < 0 && length > 0) length = path.lastIndexOf(slash, length - 1);
    return true;
  });
  if (length > 0 && isSeparator(key.charCodeAt(key.length - 1), readsBackslashes)) {
    path[length] = slash;
    length += 1;
  }
  return Buffer.from(path.buffer, 2, 2 * Math.max(0, length - 1)).toString('utf16le');
}

/** The names that a key leads through; -1 when it leaves the bucket on the way: there may never be more `..` than names. */
function depthOf(key: string, readsBackslashes: boolean): number {
  let depth = 0;
  const stays = everySegment(key, readsBackslashes, (start, end) => {
    depth += stepOf(key, start, end);
    return depth >= 0;
  });
  return stays ? depth : -1;
}

/** How stores may read a key: with backslashes as slashes too, if it has any. */
function readings(key: string): readonly boolean[] {
  return key.includes('\\') ? [false, true] : [false];
}
