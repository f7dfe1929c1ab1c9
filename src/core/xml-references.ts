/** `&#1114111;` is the longest that a character needs; one with more leading zeros than fit is refused. */
const maxReferenceLength = 10;

const entities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** Called for each reference, so that a document that consists of references can be refused. */
export type ReferenceCount = () => void;

/**
 * Decodes XML's own five entities and character references. `undefined` for every other `&`, and for a reference to a
 * character that XML 1.0 forbids (section 2.2).
 */
export function decodeXmlReferences(raw: string, count?: ReferenceCount): string | undefined {
  let from = raw.indexOf('&');
  if (from < 0) return raw;
  // Joined once: a text that grows by each character takes 32 bytes for each.
  const decoded = [raw.slice(0, from)];
  while (from >= 0) {
    count?.();
    const end = referenceEnd(raw, from);
    const reference = raw.slice(from + 1, end);
    const character = entities.get(reference) ?? decodeCharacter(reference);
    if (character === undefined) return undefined;
    const next = raw.indexOf('&', end);
    decoded.push(character, raw.slice(end + 1, next < 0 ? raw.length : next));
    from = next;
  }
  return decoded.join('');
}

/** Where the `;` of a reference is. It is not looked for any further: that would make a run of `&` cost its square. */
function referenceEnd(raw: string, start: number): number {
  const last = Math.min(start + maxReferenceLength, raw.length);
  let end = start + 1;
  while (end < last && raw[end] !== ';') end += 1;
  return raw[end] === ';' ? end : start;
}

function decodeCharacter(reference: string): string | undefined {
  if (!reference.startsWith('#')) return undefined;
  const isHexadecimal = reference[1] === 'x';
  const digits = reference.slice(isHexadecimal ? 2 : 1);
  if (!(isHexadecimal ? hexadecimalDigits : decimalDigits).test(digits)) return undefined;
  const codePoint = Number.parseInt(digits, isHexadecimal ? 16 : 10);
  return isCharacter(codePoint) ? String.fromCodePoint(codePoint) : undefined;
}

const hexadecimalDigits = /^[\dA-Fa-f]+$/;
const decimalDigits = /^\d+$/;

/** Production 2 of XML 1.0. */
function isCharacter(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint === 0x09 || codePoint === 0x0a || codePoint === 0x0d;
  if (codePoint <= 0xffff) return codePoint < 0xd800 || (codePoint > 0xdfff && codePoint < 0xfffe);
  return codePoint <= 0x10ffff;
}
