import { BlockList, isIP, isIPv6 } from 'node:net';
import { type HeaderField, HeaderList } from '../core/header-list.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { plainAddress } from './client-address.ts';
import { HeadFault } from './head-fault.ts';

/** A range of IP addresses in CIDR form. */
export interface ProxyRange {
  readonly address: string;
  readonly prefixBits: number;
}

const forwardedNames = ['x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host'];

/** More hops than any chain of proxies has. */
const maxHops = 100;

/**
 * The proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted. Those of other peers are ignored, because they
 * would let any client choose its `aws:SourceIp`.
 */
export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #isEmpty: boolean;

  constructor(ranges: readonly ProxyRange[]) {
    for (const { address, prefixBits } of ranges) {
      this.#ranges.addSubnet(address, prefixBits, isIPv6(address) ? 'ipv6' : 'ipv4');
    }
    this.#isEmpty = ranges.length === 0;
  }

  /**
   * The request as the client sent it to the first trusted proxy. The client's address is the right-most one that is not a
   * trusted proxy. The request counts as secure if every hop that sets a scheme says `https`, or if it came with TLS and nothing
   * was forwarded. A forwarded host replaces `Host`, because it is the one that the client signed.
   * @throws HeadFault for a forwarded header that a trusted proxy should never send
   */
  seenThrough(raw: RawRequest): RawRequest {
    const { clientAddress: peer, headers } = raw;
    if (this.#isEmpty || !this.#trusts(peer)) return raw;
    const schemes = listed(headers, 'x-forwarded-proto').map((scheme) => scheme.toLowerCase());
    // A proxy that says for whom it forwards, but not how the client came, may have been asked over plain HTTP.
    const isDirect = forwardedNames.every((name) => headers.count(name) === 0);
    return {
      ...raw,
      clientAddress: this.#clientOf(peer, listed(headers, 'x-forwarded-for')),
      isSecure: isDirect ? raw.isSecure : schemes.length > 0 && schemes.every((one) => one === 'https'),
      headers: withForwardedHost(headers),
    };
  }

  #trusts(address: string): boolean {
    return this.#ranges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  #clientOf(peer: string, hops: readonly string[]): string {
    if (hops.length > maxHops) throw malformed('x-forwarded-for');
    let client = peer;
    for (const hop of hops.toReversed()) {
      const address = hopAddress(hop);
      if (address === undefined) throw malformed('x-forwarded-for');
      client = address;
      if (!this.#trusts(address)) break;
    }
    return client;
  }
}

// Repeated fields are equivalent to one comma-separated field (RFC 9110, section 5.3).
function listed(headers: HeaderList, name: string): string[] {
  return headers.getAll(name).flatMap((value) => value.split(',').map((item) => item.trim()));
}

/** An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function hopAddress(hop: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop)?.[1];
  const withoutPort = /^([\d.]+):\d{1,5}$/.exec(hop)?.[1];
  const address = plainAddress(bracketed ?? withoutPort ?? hop);
  return address === undefined || isIP(address) === 0 ? undefined : address;
}

function withForwardedHost(headers: HeaderList): HeaderList {
  const hosts = listed(headers, 'x-forwarded-host');
  const [host] = hosts;
  if (host === undefined) return headers;
  if (hosts.length > 1 || !/^[\w.:[\]-]{1,260}$/.test(host)) throw malformed('x-forwarded-host');
  const fields: HeaderField[] = [];
  for (const field of headers) fields.push(field.name === 'host' ? { name: 'host', value: host } : field);
  return new HeaderList(fields);
}

function malformed(name: string): Error {
  return new HeadFault('forwarded_header', `The ${name} header of the proxy in front cannot be read.`);
}
