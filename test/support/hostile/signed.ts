import type { WireRequest } from '../raw-requests.ts';
import type { SdkCredentials } from '../sdk.ts';
import { presignWithSmithy, signWithSmithy } from '../smithy-signer.ts';

/** A request to sign. `digest` is that of a body which is sent later; UNSIGNED-PAYLOAD when absent. */
export interface ToSign {
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly digest?: string;
}

/** The bytes of a signed head, ready for a socket. Headers that are not signed stand in `unsigned`. */
export async function signedHead(
  url: string,
  caller: SdkCredentials,
  { method, path, query = {}, headers = {}, digest = 'UNSIGNED-PAYLOAD' }: ToSign,
  unsigned = '',
): Promise<string> {
  const { host } = new URL(url);
  const wire = await signWithSmithy(
    { method, path, query, headers: { host, 'x-amz-content-sha256': digest, ...headers } },
    caller,
    { nowMs: Date.now() },
  );
  return toHead(wire, unsigned);
}

/** The same with the credentials in the query; the digest is always UNSIGNED-PAYLOAD. */
export async function presignedHead(
  url: string,
  caller: SdkCredentials,
  { method, path, query = {} }: ToSign,
  unsigned = '',
): Promise<string> {
  const { host } = new URL(url);
  const wire = await presignWithSmithy({ method, path, query, headers: { host } }, caller, {
    nowMs: Date.now(),
  });
  return toHead(wire, unsigned);
}

function toHead({ method, target, headers }: WireRequest, unsigned: string): string {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${target} HTTP/1.1\r\n${fields}${unsigned}\r\n`;
}
