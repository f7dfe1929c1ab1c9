import fc from 'fast-check';
import type { WireRequest } from './raw-requests.ts';

/** Which byte of a request to change, and into what. */
export interface Mutation {
  readonly part: 'method' | 'target' | 'header name' | 'header value';
  readonly position: number;
  readonly replacement: number;
}

/** Mutations of every signed part; the target twice as often, as most depends on it. */
export const anyMutation: fc.Arbitrary<Mutation> = fc.record({
  part: fc.constantFrom('method', 'target', 'target', 'header name', 'header value'),
  position: fc.nat(10_000),
  replacement: fc.integer({ min: 0x20, max: 0x7e }),
});

/** What an independent reader of the request would sign; equal values mean the change has no meaning. */
export function meaning({ method, target, headers }: WireRequest): string {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      return `malformed ${text}`;
    }
  };
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0
        ? [decode(pair), '']
        : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    })
    .sort(([left = ''], [right = '']) => (left < right ? -1 : 1));
  const fields = headers.map(([name, value]) => [
    name.toLowerCase(),
    value.trim().replaceAll(/[ \t]+/g, ' '),
  ]);
  return JSON.stringify([
    method,
    path.split('/').map((part) => decode(part.replaceAll('+', '%2B'))),
    pairs,
    fields,
  ]);
}

function mutate(text: string, position: number, replacement: number): string {
  const index = position % text.length;
  const old = text.charCodeAt(index);
  const changed = old === replacement ? (replacement === 0x7e ? 0x21 : replacement + 1) : replacement;
  return text.slice(0, index) + String.fromCharCode(changed) + text.slice(index + 1);
}

/** The request with one byte changed; the `Authorization` header itself is left alone. */
export function changeOneByte(wire: WireRequest, { part, position, replacement }: Mutation): WireRequest {
  if (part === 'method') return { ...wire, method: mutate(wire.method, position, replacement) };
  if (part === 'target') return { ...wire, target: mutate(wire.target, position, replacement) };
  const signed = wire.headers.filter(([name, value]) => name !== 'authorization' && value !== '');
  const chosen = signed[position % signed.length];
  if (chosen === undefined) throw new Error('no signed headers');
  const changed: [string, string] =
    part === 'header name'
      ? [mutate(chosen[0], position, replacement), chosen[1]]
      : [chosen[0], mutate(chosen[1], position, replacement)];
  return { ...wire, headers: wire.headers.map((field) => (field === chosen ? changed : field)) };
}
