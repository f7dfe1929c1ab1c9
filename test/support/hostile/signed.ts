import type { SdkCredentials } from '../sdk.ts';
import { signWithSmithy } from '../smithy-signer.ts';

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
  const fields = wire.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${wire.method} ${wire.target} HTTP/1.1\r\n${fields}${unsigned}\r\n`;
}
