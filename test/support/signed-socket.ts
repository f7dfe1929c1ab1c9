import { connect, type Socket } from 'node:net';
import { alice } from './sidecar.ts';
import { signWithSmithy, type TestCredentials } from './smithy-signer.ts';

/** A request to sign; `path` may have a query. */
interface RequestOfTest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

/**
 * Opens a socket to a sidecar and writes the head of a request signed by alice; the body is the test's. `path` may have a
 * query.
 */
export async function openSigned(url: string, request: RequestOfTest): Promise<Socket> {
  return sendHead(url, await signHead(url, request));
}

/** The head of a request to a sidecar, signed now, as it is sent. */
export async function signHead(
  url: string,
  request: RequestOfTest,
  credentials: TestCredentials = alice,
): Promise<string> {
  const { host } = new URL(url);
  const [path = '', search = ''] = request.path.split('?');
  const query = Object.fromEntries(new URLSearchParams(search));
  const wire = await signWithSmithy(
    { method: request.method, path, query, headers: { host, ...request.headers } },
    credentials,
    { nowMs: Date.now() },
  );
  const fields = wire.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${wire.method} ${wire.target} HTTP/1.1\r\n${fields}\r\n`;
}

/** Opens a socket and writes a head. */
export function sendHead(url: string, head: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(head, 'latin1');
  return socket;
}

/** Everything a socket sends until it closes. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}
