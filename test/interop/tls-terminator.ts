import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';

/** A proxy that terminates TLS in front of a sidecar and changes nothing else. */
export interface TlsTerminator {
  /** `https://localhost:PORT`; certified by the tests' own authority. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it on a free loopback port. */
export async function startTlsTerminator(target: string): Promise<TlsTerminator> {
  const { hostname, port } = new URL(target);
  const pem = (name: string): string =>
    readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8');
  const server = createServer({ cert: pem('server.pem'), key: pem('server-key.pem') }, (outer) => {
    const inner = connect({ host: hostname, port: Number(port) });
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
    outer.pipe(inner).pipe(outer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
