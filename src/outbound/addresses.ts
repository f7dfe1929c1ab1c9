import { BlockList, isIP, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

// Addresses that no identity provider has: instance metadata and other link-local services, unspecified, multicast, broadcast.
const neverServed = new BlockList();
neverServed.addSubnet('0.0.0.0', 8, 'ipv4');
neverServed.addSubnet('169.254.0.0', 16, 'ipv4');
neverServed.addSubnet('224.0.0.0', 4, 'ipv4');
neverServed.addSubnet('240.0.0.0', 4, 'ipv4');
neverServed.addAddress('::', 'ipv6');
neverServed.addSubnet('fe80::', 10, 'ipv6');
neverServed.addSubnet('ff00::', 8, 'ipv6');
// Instance metadata of AWS over IPv6.
neverServed.addAddress('fd00:ec2::254', 'ipv6');

/** The category of an IP address, for outgoing requests. */
export type AddressKind = 'loopback' | 'forbidden' | 'other';

/** Classifies a connected address. IPv4 inside IPv6 counts as the IPv4 address. An unreadable address is forbidden. */
export function addressKind(address: string | undefined): AddressKind {
  if (address === undefined || isIP(address) === 0) return 'forbidden';
  // A block list of IPv4 subnets matches mapped addresses (::ffff:127.0.0.1) too.
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (loopback.check(address, family)) return 'loopback';
  return neverServed.check(address, family) ? 'forbidden' : 'other';
}

/** True for `localhost` and for literal loopback addresses, in the form of `URL.hostname`. */
export function isLoopbackHost(hostname: string): boolean {
  if (hostname === 'localhost') return true;
  return addressKind(hostname.replace(/^\[|\]$/g, '')) === 'loopback';
}
