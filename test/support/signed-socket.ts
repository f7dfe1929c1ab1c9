import { connect, type Socket } from 'node:net';
import { alice } from './sidecar.ts';
import { signWithSmithy } from './smithy-signer.ts';

/**
 * Opens a socket to a sidecar and writes the head of a request signed by alice; the body is the test's. `path` may have a
 * query.
 */
export async function openSigned(
  url: string,
  request: { method: string; path: string; headers: Record<string, string> },
): Promise<Socket> {
  const { host, hostname, port } = new URL(url);
  const [path = '', search = ''] = request.path.split('?');
  const query = Object.fromEntries(new URLSearchParams(search));
  const wire = await signWithSmithy(
    { method: request.method, path, query, headers: { host, ...request.headers } },
    alice,
    { nowMs: Date.now() },
  );
  const socket = connect({ host: hostname, port: Number(port) });
  const fields = wire.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`${wire.method} ${wire.target} HTTP/1.1\r\n${fields}\r\n`, 'latin1');
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
