import type { Socket } from 'node:net';

/**
 * The peer's address without its zone id, in IPv4 form for IPv4 peers of a dual-stack socket. `undefined` once the
 * connection is closed.
 */
export function clientAddress(socket: Socket): string | undefined {
  return socket.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
}

/** An address without its zone id, an IPv4-mapped one as IPv4. `undefined` for an empty text. */
export function plainAddress(text: string): string | undefined {
  // IPv4, which has neither.
  if (text !== '' && !text.includes(':')) return text;
  const address = text.split('%')[0];
  if (address === undefined || address === '') return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

/**
 * The network of an address, as far as one client can choose from it: all of IPv4, and the first 56 bits of IPv6, which is what a home line
 * is given (RIPE-690).
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [start = [], end] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const groups = [...start];
  if (end !== undefined)
    groups.push(...Array<string>(Math.max(0, 8 - groups.length - end.length)).fill('0'), ...end);
  const [first, second, third, fourth = 0] = groups.slice(0, 4).map((group) => Number.parseInt(group, 16));
  return [first, second, third, fourth & 0xff00].map((group) => group?.toString(16)).join(':');
}
