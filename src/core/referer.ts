/**
 * The value of a context key without what must not be shown. Only the Referer may hold secrets: a page passes on its own URL in it,
 * which may be presigned or contain a password.
 * @param key in any case
 */
export function withoutSecrets(key: string, value: string): string {
  if (key.toLowerCase() !== 'aws:referer') return value;
  const end = value.search(/[?#]/);
  const page = end < 0 ? value : value.slice(0, end);
  const at = page.lastIndexOf('@');
  return at < 0 ? page : `…${page.slice(at)}`;
}
