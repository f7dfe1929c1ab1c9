import type { RawRequest } from '../../core/raw-request.ts';
import { s3Error } from '../errors.ts';

const mediaType = 'multipart/form-data';

function isMultipartForm({ headers }: RawRequest): boolean {
  const [type = ''] = (headers.get('content-type') ?? '').split(';', 1);
  return type.trim().toLowerCase() === mediaType;
}

// `bchars` of RFC 2046 section 5.1.1; a space may not be the last one.
const boundary = `[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9'()+_,./:=?-]`;
const withBoundary = new RegExp(`^[^;]*;[ \\t]*boundary=(?:"(${boundary})"|([^\\s";,]{1,70}))[ \\t]*$`, 'i');

/**
 * The text between the parts of a form: two hyphens and its boundary.
 * @throws `PreconditionFailed` for another type of body, `MalformedPOSTRequest` without one boundary and nothing else
 */
export function readDelimiter(raw: RawRequest): string {
  if (!isMultipartForm(raw))
    throw s3Error('PreconditionFailed', 'Bucket POST must be of the enclosure-type multipart/form-data');
  const [, quoted, plain] = withBoundary.exec(raw.headers.get('content-type') ?? '') ?? [];
  const name = quoted ?? plain;
  if (name === undefined || !new RegExp(`^${boundary}$`).test(name)) throw s3Error('MalformedPOSTRequest');
  return `--${name}`;
}
