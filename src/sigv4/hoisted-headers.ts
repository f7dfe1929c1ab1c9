import { AuthenticationFault } from '../core/authentication-fault.ts';
import { type HeaderField, HeaderList, trimOws } from '../core/header-list.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { isPresignedParameter } from './presigned-query.ts';

// A signer of URLs does not have the body: the AWS SDK for JavaScript writes the checksum of an empty one here.
const ofUnknownBody = /^x-amz-(?:sdk-checksum-algorithm$|checksum-(?!algorithm$|mode$|type$))/;

const headerName = /^x-amz-[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/**
 * A presigned request without its signing parameters, with every other `x-amz-*` parameter turned back into the header
 * that the signer moved into the query. Checksums of the body are dropped, as AWS ignores them in a query; in a signed
 * header they count. Only for a request whose query is signed.
 * @throws AuthenticationFault when such a header arrives twice or is not a valid header
 */
export function withoutPresigning(raw: RawRequest): RawRequest {
  const hoisted = new Map<string, HeaderField>();
  const parameters = raw.parameters.filter(({ name, value }) => {
    if (isPresignedParameter(name)) return false;
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-amz-')) return true;
    if (ofUnknownBody.test(lower)) return false;
    if (!headerName.test(lower) || hasControls(value)) {
      throw fault('a query parameter that stands for a header is malformed');
    }
    if (hoisted.has(lower) || raw.headers.has(lower)) throw fault(`the ${lower} header is repeated`);
    hoisted.set(lower, { name: lower, value: trimOws(Buffer.from(value, 'utf8').toString('latin1')) });
    return false;
  });
  return { ...raw, parameters, headers: new HeaderList([...raw.headers, ...hoisted.values()]) };
}

// A line break in a value would begin another header at the store.
function hasControls(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

function fault(message: string): AuthenticationFault {
  return new AuthenticationFault('duplicate_header', { message });
}
