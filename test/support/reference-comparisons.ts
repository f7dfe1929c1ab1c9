import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Comparisons of the reference evaluator, written with other means than the engine's: big integers and Node's lists. */

/** A request value that is not of the type that an operator compares. */
export class IncomparableValue extends Error {}

/** Compares by the end of an operator's name, in lower case. */
export function inOrder(relation: string, value: bigint, operand: bigint): boolean {
  switch (relation) {
    case 'equals':
      return value === operand;
    case 'lessthan':
      return value < operand;
    case 'lessthanequals':
      return value <= operand;
    case 'greaterthan':
      return value > operand;
    case 'greaterthanequals':
      return value >= operand;
    default:
      throw new Error(`the reference evaluator does not know ${relation}`);
  }
}

/** A number of at most 64 characters as a multiple of 10^-500. */
export function scaled(text: string): bigint {
  const [, sign, whole = '', , decimals = '', , exponent = '0'] =
    /^(-?)(\d+)(\.(\d+))?([eE]([-+]?\d{1,3}))?$/.exec(text) ?? [];
  if (whole === '' || text.length > 64) throw new IncomparableValue();
  const magnitude = BigInt(whole + decimals) * 10n ** BigInt(500 + Number(exponent) - decimals.length);
  return sign === '-' ? -magnitude : magnitude;
}

const longMonths = [1, 3, 5, 7, 8, 10, 12];

/** Nanoseconds since 1970; at most nine decimals. */
export function nanoseconds(text: string): bigint {
  if (/^\d+$/.test(text) && text.length !== 4) return BigInt(text) * 1_000_000_000n;
  const match =
    /^(\d{4})(-(\d\d)(-(\d\d)(T(\d\d):(\d\d)(:(\d\d)(\.(\d{1,9}))?)?(Z|([-+])(\d\d):(\d\d)))?)?)?$/.exec(
      text,
    );
  if (match === null) throw new IncomparableValue();
  const field = (index: number, otherwise = 0): number => Number(match[index] ?? otherwise);
  const [year, month, day] = [field(1), field(3, 1), field(5, 1)];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (isLeap ? 29 : 28) : longMonths.includes(month) ? 31 : 30;
  const [hour, minute, second] = [field(7), field(8), field(10)];
  const isReal =
    month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
  if (!isReal) throw new IncomparableValue();
  const local = BigInt(Date.UTC(year, month - 1, day, hour, minute, second)) * 1_000_000n;
  const offset = BigInt((match[14] === '-' ? -1 : 1) * (field(15) * 60 + field(16))) * 60_000_000_000n;
  return local + BigInt((match[12] ?? '').padEnd(9, '0')) - offset;
}

/** Bytes written in base64, as text. */
export function hexOf(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw new IncomparableValue();
  const bytes = atob(text);
  if (btoa(bytes) !== text) throw new IncomparableValue();
  return [...bytes].map((byte) => byte.charCodeAt(0).toString(16)).join();
}

/** @throws IncomparableValue for a value that is not an address. */
export function checkAddress(value: string): void {
  if (!isIPv4(value) && !isIPv6(value)) throw new IncomparableValue();
}

/** Tells whether an address lies in a CIDR range; IPv4-mapped addresses are IPv4. */
export function addressIn(range: string, value: string): boolean {
  const unmap = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  const [network = '', bits] = range.split('/');
  const base = unmap(network);
  const address = unmap(value);
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  const sameFamily = family === 'ipv4' ? isIPv4(address) : isIPv6(address);
  if (!sameFamily) return false;
  const list = new BlockList();
  const whole = family === 'ipv4' ? 32 : 128;
  list.addSubnet(base, bits === undefined ? whole : Number(bits) - (base === network ? 0 : 96), family);
  return list.check(address, family);
}
