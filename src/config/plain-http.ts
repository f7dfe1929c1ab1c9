import { isLoopbackHost } from '../core/loopback.ts';
import type { Reading } from './reading.ts';
import type { Settings } from './settings.ts';

/** The parts that speak HTTP; parts that could not be read are `undefined`. */
interface HttpParts {
  readonly server: Settings['server'] | undefined;
  readonly backend: Pick<Settings['backend'], 'endpoint'> | undefined;
  readonly outbound: Settings['outbound'] | undefined;
}

/**
 * Warns where plain HTTP leaves the machine, and says what an attacker could do. A listener with trusted proxies counts as one
 * behind a proxy that ends TLS.
 */
export function warnOfPlainHttp(reading: Reading, { server, backend, outbound }: HttpParts): void {
  const isPlain = server !== undefined && server.tls === undefined && server.trustedProxies.length === 0;
  if (isPlain && !isLoopbackHost(server.listen.host)) {
    reading.warn(
      ['server', 'listen'],
      'speaks plain HTTP beyond loopback: an attacker on this network can read objects and temporary credentials; ' +
        'set server.tls, or let a proxy end TLS before it and list that proxy in server.trustedProxies',
    );
  }
  if (backend !== undefined && isPlainBeyondLoopback(backend.endpoint)) {
    reading.warn(
      ['backend', 'endpoint'],
      'is plain HTTP beyond loopback: an attacker on this network can read and change objects; ' +
        'use https, or run beside the store',
    );
  }
  for (const [index, origin] of (outbound?.allowHttp ?? []).entries()) {
    if (!isPlainBeyondLoopback(origin)) continue;
    reading.warn(
      ['outbound', 'allowHttp', index],
      'is plain HTTP beyond loopback: an attacker who changes this traffic can answer as the identity provider, ' +
        'and sign in as any user',
    );
  }
}

function isPlainBeyondLoopback(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopbackHost(hostname);
}
