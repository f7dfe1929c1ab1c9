/*
 * This folder owns the forms that settings are made of: text, numbers, addresses, and where secrets are read from.
 * In: unchecked values. Out: zod schemas, which `config` and the kinds of identity providers compose.
 * It never reads a file or a variable; `config` does.
 */

import { isIP, isIPv6 } from 'node:net';
import { z } from 'zod';
import { nameForm } from '../core/iam-names.ts';

/** Where a listener binds. */
export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** A range of IP addresses. */
export interface AddressRange {
  readonly address: string;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly prefixBits: number;
}

/** The values of `enforcement`, global and of a role. */
export const enforcement = z.enum(['enforce', 'audit']);

/** A whole number within bounds, both included. */
export function wholeNumber(minimum: number, maximum: number): z.ZodType<number, number> {
  return z
    .custom<number>(
      (value) => Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum,
      { error: `must be a whole number from ${minimum} to ${maximum}` },
    )
    .meta({ type: 'integer', minimum, maximum });
}

/** Text that a pattern matches as a whole. The message says what is expected and never quotes the value. */
export function textLike(pattern: RegExp, message: string): z.ZodString {
  return z.string().regex(pattern, { error: message });
}

/** A list of 1 to 100. */
export function several(item: z.ZodString): z.ZodArray<z.ZodString> {
  return z
    .array(item)
    .min(1, { error: 'must not be empty: nothing would be accepted' })
    .max(100, { error: 'must not hold more than 100' });
}

/** A region name as it stands in credential scopes. */
export const regionName = textLike(
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  'must be a region name: letters, digits, "-" and "_"',
);

const hostName =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i;

/** True for DNS names; an IPv4 address is not one. */
function isHostName(text: string): boolean {
  return hostName.test(text) && !/(?:^|\.)\d+$/.test(text);
}

/** Text that a parser reads, or the message that it is none. */
function parsedText<Value>(
  parse: (text: string) => Value | undefined,
  message: string,
): z.ZodPipe<z.ZodString, z.ZodTransform<Value, string>> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** `host:port`, with an IPv6 address in brackets. */
export const listenAddress = parsedText(
  parseListenAddress,
  'must be host:port, for example 127.0.0.1:9000 or [::1]:9000',
);

function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, inBrackets, plain = ''] = match;
  const host = inBrackets ?? plain;
  const port = Number(match[3]);
  const isHost = inBrackets === undefined ? isIP(host) === 4 || isHostName(host) : isIPv6(host);
  return isHost && port <= 65_535 ? { host, port } : undefined;
}

/** A host name in lower case, without a port. */
export const virtualHost = parsedText(
  (text) => (isHostName(text) ? text.toLowerCase() : undefined),
  'must be a host name without a port, for example s3.example.internal',
);

/** A host name in lower case, or `*.` and one, which stands for any single label before it. */
export const serverName = parsedText(
  readServerName,
  'must be a host name without a port, or one behind *., for example *.s3.example.internal',
);

/** Reads a name as certificates have it; `undefined` for an address and anything else that no client can ask for. */
export function readServerName(text: string): string | undefined {
  return isHostName(text.startsWith('*.') ? text.slice(2) : text) ? text.toLowerCase() : undefined;
}

/** Scheme, host and port of an `http` or `https` URL that has nothing else. */
export const storeEndpoint = parsedText((text) => {
  // Checked before parsing: the URL parser silently drops an empty query and resolves dots.
  const isBare = /^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text);
  return isBare && URL.canParse(text) ? new URL(text).origin : undefined;
}, 'must be an http or https URL of scheme, host and port only: no user, path, query or fragment');

/** The name of a bucket; as lax as the laxest store allows. */
export const bucketName = textLike(
  /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/,
  'must be the name of a bucket: 3 to 255 letters, digits, ".", "_" and "-"',
);

/** An IP address with the number of leading bits that count. */
export const addressRange = parsedText(
  parseAddressRange,
  'must be an IP address or CIDR range, for example 10.0.0.0/8',
);

function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = '', bits] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const version = isIP(address);
  // An IPv4 peer never shows as a mapped IPv6 address here, so a range of those would match no client.
  if (version === 0 || address.includes('%') || /^::ffff:/i.test(address)) return undefined;
  const allBits = version === 4 ? 32 : 128;
  const prefixBits = bits === undefined ? allBits : Number(bits);
  return prefixBits <= allBits ? { address, prefixBits } : undefined;
}

/** The path of a file, relative to the configuration's folder. */
export const fileName = z.string().min(1, { error: 'must be the path of a file' });

/** The name of a managed or inline policy (IAM API reference, PolicyName). */
export const policyName = textLike(nameForm(1, 128), 'must be 1 to 128 letters, digits and _+=,.@-');

/** Largest configuration or directory file: tens of thousands of users, read in seconds. */
export const maxConfigurationBytes = 8 * 1024 * 1024;

/** The beginning of paths that are handed to the store. They are compared as they come, so it is written in one way only. */
export const passedPrefix = textLike(
  /^(?=.{2,256}$)(?!.*\/\.{1,2}(?:\/|$))\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]+(?:\/|$))+$/,
  'must be the beginning of a path, such as "/minio/health/": not "/", and without "%", "//", dot segments and backslashes',
);
