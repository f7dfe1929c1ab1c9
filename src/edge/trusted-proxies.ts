import { BlockList, isIP, isIPv6 } from 'node:net';
import { type HeaderField, HeaderList } from '../core/header-list.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { plainAddress } from './client-address.ts';
import { HeadFault } from './head-fault.ts';

/** A range of IP addresses; the bits count from the front. */
export interface ProxyRange {
  readonly address: string;
  readonly prefixBits: number;
}

/** More hops than any chain of proxies has. */
const maxHops = 100;

/**
 * The peers whose `X-Forwarded-For`, `-Proto` and `-Host` are believed. Nobody else's are looked at: they would let any
 * client choose its `aws:SourceIp`.
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
   * The request as the client sent it to the first of them. The client is the right-most address that is no trusted
   * proxy; `https` must be said by every hop that says anything; a forwarded host replaces `Host`, as what the client
   * signed.
   * @throws HeadFault for what a trusted proxy should never send
   */
  seenThrough(raw: RawRequest): RawRequest {
    const { clientAddress: peer, headers } = raw;
    if (this.#isEmpty || !this.#trusts(peer)) return raw;
    const schemes = listed(headers, 'x-forwarded-proto').map((scheme) => scheme.toLowerCase());
    return {
      ...raw,
      clientAddress: this.#clientOf(peer, listed(headers, 'x-forwarded-for')),
      isSecure: schemes.length > 0 && schemes.every((scheme) => scheme === 'https'),
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

// Several fields of one name mean the same as one with commas (RFC 9110, section 5.3).
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
