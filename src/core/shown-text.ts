/**
 * A text as a log line and a terminal may show it: at most `maxUnits` code units of it, and no character that a terminal acts on or
 * that hides or reorders others. Callers choose keys, tags and headers. What is cut ends in `…`, what is escaped reads `\u{202e}`.
 */
export function shownText(text: string, maxUnits: number): string {
  const isCut = text.length > maxUnits;
  const kept = isCut ? text.slice(0, isHighSurrogate(text, maxUnits - 1) ? maxUnits - 1 : maxUnits) : text;
  return kept.replaceAll(actedOn, escaped) + (isCut ? '…' : '');
}

/** Control and format characters, lone surrogates, line separators, and the quotation mark that messages use. */
const actedOn = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}`]/gu;

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

function isHighSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xd800 && unit <= 0xdbff;
}
