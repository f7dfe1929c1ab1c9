import type { RawRequest } from '../core/raw-request.ts';

/** True for a head with credentials that can only pass, or be ignored, once they have been looked at. An empty header is no header. */
export function carriesSignature({ headers, parameters }: RawRequest): boolean {
  return (
    (headers.get('authorization') ?? '') !== '' || parameters.some(({ name }) => name === 'X-Amz-Signature')
  );
}
