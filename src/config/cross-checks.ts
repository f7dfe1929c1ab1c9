import { isIP } from 'node:net';
import { quoteText } from './path.ts';
import type { Reading } from './reading.ts';
import type { BackendSettings, ListenAddress } from './settings.ts';
import { suggest } from './suggest.ts';

/** The ids of `tokens`, secrets not looked at. */
export interface TokenKeyIds {
  readonly sealWith: string;
  readonly keys: readonly { readonly id: string }[];
}

/** Key ids are unique and one of them seals. */
export function checkTokenKeys(reading: Reading, { sealWith, keys }: TokenKeyIds): void {
  const ids = keys.map(({ id }) => id);
  for (const [index, id] of ids.entries()) {
    if (ids.indexOf(id) < index)
      reading.problem(['tokens', 'keys', index, 'id'], 'repeats the id of another key');
  }
  if (ids.includes(sealWith)) return;
  const message = `no key has the id ${quoteText(sealWith)}${suggest(sealWith, ids)}`;
  reading.problem(['tokens', 'sealWith'], message);
}

/** The parts that name addresses; parts that could not be read are `undefined`. */
export interface Addresses {
  readonly server: { readonly listen: ListenAddress } | undefined;
  readonly admin: { readonly listen: ListenAddress } | undefined;
  readonly backend: Pick<BackendSettings, 'endpoint'> | undefined;
}

/** The two listeners have ports of their own, and the store is neither of them. */
export function checkAddresses(reading: Reading, { server, admin, backend }: Addresses): void {
  const port = admin?.listen.port ?? 0;
  if (port !== 0 && port === server?.listen.port) {
    reading.problem(['admin', 'listen'], 'must not have the port of server.listen');
  }
  if (backend === undefined) return;
  const store = addressOf(backend.endpoint);
  for (const [name, listener] of [
    ['server.listen', server],
    ['admin.listen', admin],
  ] as const) {
    if (listener !== undefined && reaches(store, listener.listen)) {
      reading.problem(['backend', 'endpoint'], `is ${name}: the sidecar would forward to itself`);
    }
  }
}

function addressOf(endpoint: string): ListenAddress {
  const { protocol, hostname, port } = new URL(endpoint);
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}

/** Whether a connection to `target` certainly arrives at `listener`, names not resolved. */
function reaches(target: ListenAddress, listener: ListenAddress): boolean {
  if (target.port !== listener.port) return false;
  const [to, at] = [canonicalHost(target.host), canonicalHost(listener.host)];
  return to === at || (isEveryAddress(at) && (to === 'loopback' || isEveryAddress(to)));
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  const isLoopback =
    lower === 'localhost' || lower === '::1' || (isIP(lower) === 4 && lower.startsWith('127.'));
  return isLoopback ? 'loopback' : lower;
}
