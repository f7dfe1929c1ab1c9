import { isIPv4 } from 'node:net';

/** True for the names and addresses of this machine alone; IPv6 addresses with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}
