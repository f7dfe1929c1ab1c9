/** Why a document is not of the accepted subset of XML. The message quotes nothing of it. */
export class StrictXmlError extends Error {
  override readonly name = 'StrictXmlError';
}

/** The characters of XML 1.0 (section 2.2) without CR, which a caller turns into LF before. */
const plain = /^[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** Whether a document consists of characters that XML 1.0 allows, with line ends as LF. */
export function isPlainCharacters(text: string): boolean {
  return plain.test(text);
}

/** Decodes character data. Throws {@link StrictXmlError} for a stray `&` or `]]>`. */
export function readCharacters(raw: string): string {
  if (raw.includes(']]>')) throw new StrictXmlError('it is not well-formed');
  return decodeReferences(raw);
}

/** Decodes the text between the quotes of an attribute; white space as such counts as spaces (section 3.3.3). */
export function readAttributeValue(raw: string): string {
  if (raw.includes('<')) throw new StrictXmlError('it is not well-formed');
  return decodeReferences(raw.replace(/[\t\n]/g, ' '));
}

const entities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeReferences(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(/&([#\w]{0,10};)?/g, (_, body: string | undefined) => {
    const reference = body?.slice(0, -1) ?? '';
    const decoded = entities.get(reference) ?? decodeCharacter(reference);
    if (decoded === undefined) throw new StrictXmlError('entities are not accepted');
    return decoded;
  });
}

const allowed = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]$/u;

function decodeCharacter(reference: string): string | undefined {
  const [, hexadecimal, decimal] = /^#(?:x([\dA-Fa-f]{1,6})|(\d{1,7}))$/.exec(reference) ?? [];
  const codePoint =
    hexadecimal === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hexadecimal, 16);
  if (!(codePoint <= 0x10ffff)) return undefined;
  const character = String.fromCodePoint(codePoint);
  return allowed.test(character) ? character : undefined;
}
