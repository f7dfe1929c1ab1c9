import type { Socket } from 'node:net';

/**
 * The peer's address without a zone id, IPv4 written as IPv4 even on a dual-stack socket. `undefined` once the
 * connection is gone.
 */
export function clientAddress(socket: Socket): string | undefined {
  return socket.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
}

/** An address without its zone id, an IPv4-mapped one as IPv4. `undefined` for nothing. */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%')[0];
  if (address === undefined || address === '') return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}
