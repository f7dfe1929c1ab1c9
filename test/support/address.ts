import type { AddressInfo, Server } from 'node:net';

/** Where a server listens, for `connect`. */
export function addressOf(server: Server): { readonly host: string; readonly port: number } {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
