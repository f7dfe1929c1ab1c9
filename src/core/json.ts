/** Text that {@link parseJson} refuses. The message is lowercase and quotes nothing longer than a truncated key. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Bounds of one JSON text. */
export interface JsonLimits {
  /** Largest size of the text in UTF-8 bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of objects and arrays; 32 when absent, which no document read here comes near. */
  readonly maxDepth?: number;
  /**
   * `exact`, the default, refuses a number that JavaScript spells otherwise, such as `9007199254740993`, `1.0` or `1e3`. `any`
   * reads the nearest number JavaScript has: for documents of others, in which no decision depends on a number's spelling.
   */
  readonly numbers?: 'exact' | 'any';
}

const defaultMaxDepth = 32;
const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;
const digitZero = 0x30;
const digitNine = 0x39;

/**
 * Parses JSON (RFC 8259) strictly: size and depth are limited and an object may not repeat a key, because two
 * parsers that keep different values of a repeated key read two different documents. For the same reason a number must
 * be spelled as JavaScript spells its value, unless the limits allow any.
 * @throws JsonError on anything else than one well-formed value within the limits.
 */
export function parseJson(text: string, limits: JsonLimits): unknown {
  if (Buffer.byteLength(text, 'utf8') > limits.maxBytes) {
    throw new JsonError(`JSON text is larger than ${limits.maxBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
    throw new JsonError(position === undefined ? 'not valid JSON' : `not valid JSON at position ${position}`);
  }
  checkStructure(text, limits.maxDepth ?? defaultMaxDepth, limits.numbers === 'any');
  return value;
}

/**
 * Walks once over a text.
 * INVARIANT: `JSON.parse` has accepted it, so strings end, brackets pair up and a string before a colon is a key.
 */
function checkStructure(text: string, maxDepth: number, allowsAnyNumber: boolean): void {
  // The keys of each open object. Arrays, and objects without a key, need no set: a text can open 80,000 of them.
  const scopes: (Set<string> | undefined)[] = [];
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      const end = stringEnd(text, index);
      if (isFollowedByColon(text, end)) noteKey(scopes, text.slice(index, end));
      index = end;
      continue;
    }
    if (code === 0x7b || code === 0x5b) {
      scopes.push(undefined);
      if (scopes.length > maxDepth) throw new JsonError(`JSON is nested deeper than ${maxDepth} levels`);
    } else if (code === 0x7d || code === 0x5d) {
      scopes.pop();
    } else if (!allowsAnyNumber && isNumberStart(code)) {
      index = numberEnd(text, index);
      continue;
    }
    index += 1;
  }
}

function isNumberStart(code: number): boolean {
  return code === minus || (code >= digitZero && code <= digitNine);
}

/** Index after the number that starts at `start`, which must keep its spelling. */
function numberEnd(text: string, start: number): number {
  const pattern = /[-+0-9.eE]+/y;
  pattern.lastIndex = start;
  const [literal = ''] = pattern.exec(text) ?? [];
  const value = String(Number(literal));
  if (value !== literal) {
    const shown = literal.slice(0, 64);
    throw new JsonError(`JSON number ${shown} would be read as ${value}: write it so, or as a string`);
  }
  return start + literal.length;
}

/** Index after the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text.charCodeAt(index) !== quote) {
    index += text.charCodeAt(index) === backslash ? 2 : 1;
  }
  return index + 1;
}

function isFollowedByColon(text: string, start: number): boolean {
  let index = start;
  while (' \t\r\n'.includes(text.charAt(index)) && index < text.length) index += 1;
  return text.charAt(index) === ':';
}

/** Adds a key to those of the innermost object. */
function noteKey(scopes: (Set<string> | undefined)[], literal: string): void {
  // Escapes are undone first: "a" and "\u0061" are one key.
  const key = literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1);
  const innermost = scopes.length - 1;
  const known = scopes[innermost];
  if (known === undefined) scopes[innermost] = new Set<string>().add(key);
  else if (!known.has(key)) known.add(key);
  else throw new JsonError(`JSON object repeats the key ${JSON.stringify(key.slice(0, 64))}`);
}
