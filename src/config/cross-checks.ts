import { isLoopbackHost } from '../core/loopback.ts';
import { quoteText } from './path.ts';
import type { Reading } from './reading.ts';
import type { ListenAddress, Settings } from './settings.ts';
import { suggest } from './suggest.ts';

/** The ids in `tokens`, without the secrets. */
export interface TokenKeyIds {
  readonly sealWith: string;
  readonly keys: readonly { readonly id: string }[];
}

/** Checks that key ids are unique and that `sealWith` names one. */
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
  readonly control: Settings['control'] | undefined;
  readonly containerCredentials: Settings['containerCredentials'] | undefined;
  readonly backend: Pick<Settings['backend'], 'endpoint'> | undefined;
}

/** Checks that each listener has a port of its own, and that the store is not one of the listeners. */
export function checkAddresses(reading: Reading, addresses: Addresses): void {
  const { server, admin, backend } = addresses;
  // Without a token this listener is off.
  const control = addresses.control?.token === undefined ? undefined : addresses.control;
  const listeners: readonly NamedAddress[] = [
    ['server', server?.listen],
    ['admin', admin?.listen],
    ['control', control?.listen],
    ['containerCredentials', addresses.containerCredentials?.listen],
  ];
  for (const [index, listener] of listeners.entries()) {
    for (const other of listeners.slice(0, index)) requireOwnPort(reading, listener, other);
  }
  if (backend === undefined) return;
  const store = addressOf(backend.endpoint);
  for (const [name, listen] of listeners) {
    if (listen !== undefined && reaches(store, listen)) {
      reading.problem(['backend', 'endpoint'], `is ${name}.listen: the sidecar would forward to itself`);
    }
  }
}

type NamedAddress = readonly [name: string, listen: ListenAddress | undefined];

function requireOwnPort(
  reading: Reading,
  [name, listen]: NamedAddress,
  [otherName, other]: NamedAddress,
): void {
  const port = listen?.port ?? 0;
  if (port !== 0 && port === other?.port) {
    reading.problem([name, 'listen'], `must not have the port of ${otherName}.listen`);
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
  return isLoopbackHost(host) ? 'loopback' : host.toLowerCase();
}
