const unreserved = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') {
  unreserved[character.charCodeAt(0)] = 1;
}
const slash = 0x2f;
const percent = 0x25;
const plus = 0x2b;
const encodedByte = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/**
 * Percent-encodes as Signature V4 demands: unreserved characters of RFC 3986 stay, everything else becomes
 * `%XX` in upper case. `keepSlash` leaves `/` as it is, for paths.
 */
export function uriEncodeBytes(bytes: Uint8Array, keepSlash: boolean): string {
  let encoded = '';
  for (const byte of bytes) {
    encoded +=
      unreserved[byte] === 1 || (keepSlash && byte === slash)
        ? String.fromCharCode(byte)
        : (encodedByte[byte] ?? '');
  }
  return encoded;
}

const plain = /^[A-Za-z0-9\-._~]*$/;
const plainPath = /^[A-Za-z0-9\-._~/]*$/;

/** {@link uriEncodeBytes} of the UTF-8 form of a string. */
export function uriEncode(text: string, keepSlash = false): string {
  if ((keepSlash ? plainPath : plain).test(text)) return text;
  return uriEncodeBytes(Buffer.from(text, 'utf8'), keepSlash);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Undoes one level of percent-encoding on a raw latin1 target piece. A `+` becomes `forPlus`; a space in query strings and forms. `undefined` when a `%` is not followed by
 * two hexadecimal digits.
 */
export function percentDecode(raw: string, forPlus: '+' | ' ' = '+'): Uint8Array | undefined {
  const decodedPlus = forPlus.charCodeAt(0);
  const bytes = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let index = 0; index < raw.length; index += 1) {
    const code = raw.charCodeAt(index);
    if (code !== percent) {
      bytes[length++] = code === plus ? decodedPlus : code;
      continue;
    }
    const high = hexDigit(raw.charCodeAt(index + 1));
    const low = hexDigit(raw.charCodeAt(index + 2));
    if (high < 0 || low < 0) return undefined;
    bytes[length++] = high * 16 + low;
    index += 2;
  }
  return bytes.subarray(0, length);
}
