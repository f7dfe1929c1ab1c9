import { trimOws } from '../../core/header-list.ts';
import type { RawRequest } from '../../core/raw-request.ts';
import { s3Error } from '../errors.ts';

const mediaType = 'multipart/form-data';

/** `bchars` of RFC 2046 section 5.1.1; a space may not be the last one. */
const boundarySyntax = /^[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9'()+_,./:=?-]$/;

/** One parameter, and the white space around it. Without quotation marks, clients send characters that no token has, such as `/`. */
const parameter = /;[ \t]*([a-z0-9-]+)=(?:"([^"\\]*)"|([^\s";,]+))[ \t]*/iy;

/** Names of the encoding that the fields of a form must have, or of a part of it. */
const encodings: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/**
 * The text between the parts of a form: two hyphens and its boundary. The type of the form may name its encoding too, and nothing else.
 * @throws `PreconditionFailed` for another type of body, `MalformedPOSTRequest` without one boundary, with a malformed or another parameter
 */
export function readDelimiter({ headers }: RawRequest): string {
  const text = headers.get('content-type') ?? '';
  const [type = ''] = text.split(';', 1);
  if (trimOws(type).toLowerCase() !== mediaType)
    throw s3Error('PreconditionFailed', 'Bucket POST must be of the enclosure-type multipart/form-data');
  const parameters = readParameters(text, type.length);
  const boundary = parameters?.get('boundary') ?? '';
  const charset = parameters?.get('charset');
  const isEncoded = charset !== undefined && !encodings.has(charset.toLowerCase());
  const hasOthers = parameters?.size !== (charset === undefined ? 1 : 2);
  if (hasOthers || isEncoded || !boundarySyntax.test(boundary)) throw s3Error('MalformedPOSTRequest');
  return `--${boundary}`;
}

/** The parameters by lower-case name; `undefined` when one is malformed or repeated. */
function readParameters(text: string, start: number): ReadonlyMap<string, string> | undefined {
  const read = new Map<string, string>();
  for (let index = start; index < text.length; index = parameter.lastIndex) {
    parameter.lastIndex = index;
    const [, written = '', quoted, plain] = parameter.exec(text) ?? [];
    const value = quoted ?? plain;
    const name = written.toLowerCase();
    if (value === undefined || read.has(name)) return undefined;
    read.set(name, value);
  }
  return read;
}
