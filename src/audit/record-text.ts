/** Every escape of JSON, so that an escaped backslash before `ud800` is none of a half. */
const escapes = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/**
 * The line of a record: JSON and a line feed, well-formed Unicode. A token may have half of a surrogate pair in a claim (`"\ud800"`).
 * `JSON.stringify` writes it as such an escape, which many collectors refuse for ever, and with it all records of the batch. It becomes
 * U+FFFD, as in `String.prototype.toWellFormed`.
 */
export function recordText(record: unknown): string {
  const text = `${JSON.stringify(record)}\n`;
  // Whole pairs are not escaped, so usual records have none to look at.
  if (!text.includes('\\ud')) return text;
  return text.replace(escapes, (sequence: string, half: string | undefined) =>
    half === undefined ? sequence : '\ufffd',
  );
}
