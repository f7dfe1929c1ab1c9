import { quoted, type Report } from '../problem.ts';
import type { Comparison, ComparisonOperator, OperandSource } from './operator.ts';

/**
 * IP address condition operators (IAM JSON policy elements: Condition operators, "IP address"). A request value that is
 * not an address is unreadable: otherwise `NotIpAddress` would hold for it.
 */
export const ipAddressOperators: readonly ComparisonOperator[] = [
  { name: 'IpAddress', isNegated: false, compile: compileRanges },
  { name: 'NotIpAddress', isNegated: true, compile: compileRanges },
];

/** An address as 16-bit groups: two for IPv4, eight for IPv6. The families never match each other. */
type AddressGroups = readonly number[];

const dot = 0x2e;

/** The length of six groups and an IPv4 address at the end. */
const maxAddressLength = 45;

interface AddressRange {
  readonly groups: AddressGroups;
  readonly prefixBits: number;
}

function compileRanges(source: OperandSource, report: Report): Comparison {
  const ranges = source.values.flatMap((value) => {
    const range = parseRange(value);
    if (range === undefined) report(`${quoted(value)} is not an IP address or CIDR range`);
    return range === undefined ? [] : [range];
  });
  const ranges4 = ranges.filter(({ groups }) => groups.length === 2).map(toRange4);
  const steps4 = stepsToParse4 + ranges4.length * stepsPerRange4;
  const steps6 = stepsToParse6 + ranges.length * stepsPerRange6;
  return (value, scope) => {
    const address = parseIpv4(value);
    scope.budget.spend(address === undefined ? steps6 : steps4);
    if (address !== undefined)
      return ranges4.some(({ network, width }) => address - network < width && address >= network);
    const groups = parseAddress(withoutZone(value));
    return groups === undefined ? 'unreadable' : ranges.some((range) => contains(range, groups));
  };
}

/** Cost of reading an address and of comparing it with a range, in comparisons of two code units. */
const [stepsToParse4, stepsPerRange4, stepsToParse6, stepsPerRange6] = [16, 2, 300, 4];

/** An IPv4 range as its first address and its number of addresses. */
function toRange4({ groups: [high = 0, low = 0], prefixBits }: AddressRange): {
  network: number;
  width: number;
} {
  const width = 2 ** (32 - prefixBits);
  const address = high * 0x10000 + low;
  return { network: address - (address % width), width };
}

/** `fe80::1%eth0`: the zone names a local interface and is not part of the address. */
function withoutZone(value: string): string {
  const percent = value.indexOf('%');
  return percent < 0 ? value : value.slice(0, percent);
}

/** Reads `address` or `address/bits`; host bits may be set, as AWS permits. */
function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const groups = parseAddress(address);
  if (groups === undefined) return undefined;
  const familyBits = groups.length * 16;
  if (slash < 0) return { groups, prefixBits: familyBits };
  const bitsText = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(bitsText)) return undefined;
  // The prefix of an IPv4-mapped range counts from the start of the IPv6 address.
  const prefixBits = Number(bitsText) - (address.includes(':') && groups.length === 2 ? 96 : 0);
  return prefixBits < 0 || prefixBits > familyBits ? undefined : { groups, prefixBits };
}

function contains({ groups, prefixBits }: AddressRange, address: AddressGroups): boolean {
  if (groups.length !== address.length) return false;
  for (let index = 0, left = prefixBits; left > 0; index += 1, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    if ((((groups[index] ?? 0) ^ (address[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

/** Reads an address; an IPv4-mapped one (`::ffff:a.b.c.d`) becomes IPv4. `undefined` when malformed. */
function parseAddress(text: string): AddressGroups | undefined {
  if (text.length > maxAddressLength) return undefined;
  if (!text.includes(':')) return toGroups(parseIpv4(text));
  const groups = parseIpv6(text);
  if (groups === undefined) return undefined;
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? groups.slice(6) : groups;
}

/** Reads four decimal octets; hand-written, because it runs in every decision on the client's address. */
function parseIpv4(text: string): number | undefined {
  let address = 0;
  let octet = -1;
  let octets = 0;
  for (let index = 0; index <= text.length; index += 1) {
    const code = index === text.length ? dot : text.charCodeAt(index);
    if (code === dot) {
      if (octet < 0) return undefined;
      address = address * 256 + octet;
      octets += 1;
      octet = -1;
      continue;
    }
    // A leading zero is refused: some parsers read 010 as octal.
    if (code < 0x30 || code > 0x39 || octet === 0) return undefined;
    octet = (octet < 0 ? 0 : octet * 10) + code - 0x30;
    if (octet > 255) return undefined;
  }
  return octets === 4 ? address : undefined;
}

function toGroups(address: number | undefined): AddressGroups | undefined {
  return address === undefined ? undefined : [Math.floor(address / 0x10000), address % 0x10000];
}

function parseIpv6(text: string): AddressGroups | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [front = '', back] = halves;
  const head = parseGroups(front, back === undefined);
  const tail = back === undefined ? [] : parseGroups(back, true);
  if (head === undefined || tail === undefined) return undefined;
  if (back === undefined) return head.length === 8 ? head : undefined;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

/** Groups between colons; the last may be a dotted IPv4 address when it ends the whole address. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const pieces = text.split(':');
  const groups: number[] = [];
  for (const [index, piece] of pieces.entries()) {
    const embedded = endsAddress && index === pieces.length - 1 ? toGroups(parseIpv4(piece)) : undefined;
    if (embedded !== undefined) groups.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(piece)) groups.push(Number.parseInt(piece, 16));
    else return undefined;
  }
  return groups;
}
