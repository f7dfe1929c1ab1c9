/**
 * The name that a store would use for a key if it took it for a path, as stores on file systems do: without empty, `.`
 * and `..` segments. `undefined` for a key that says the same either way; never climbs above the first segment. A final
 * slash is kept. Observed with versitygw 1.8 on 2026-11-23: `a/../b`, `./b` and `/b` name the object `b`.
 */
export function pathOfKey(key: string): string | undefined {
  if (!unusual.test(key)) return undefined;
  const names: string[] = [];
  for (const segment of key.split('/')) {
    if (segment === '..') names.pop();
    else if (segment !== '' && segment !== '.') names.push(segment);
  }
  const path = names.join('/');
  return key.endsWith('/') && path !== '' ? `${path}/` : path;
}

const unusual = /^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;
