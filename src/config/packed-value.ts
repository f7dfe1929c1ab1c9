import { isMapping, type Mapping } from '../core/mapping.ts';
import type { Steps } from '../core/steps.ts';

/** A plain value as JSON texts, each of them short if it can be: what passes between threads in one piece takes one turn to read. */
export type PackedValue =
  | string
  | { readonly list: readonly PackedValue[] }
  | { readonly members: readonly (readonly [key: string, value: PackedValue])[] };

/** Takes well below a millisecond to parse. */
const pieceCharacters = 16 * 1024;

/** Packs the value of a YAML document. */
export function packValue(value: unknown): PackedValue {
  const json = JSON.stringify(value);
  if (json.length <= pieceCharacters) return json;
  if (Array.isArray(value)) return { list: value.map(packValue) };
  if (isMapping(value)) {
    return { members: Object.entries(value).map(([key, member]) => [key, packValue(member)]) };
  }
  return json;
}

/** The value again, piece by piece. Its mappings have a null prototype, as those of a YAML document. */
export function* unpackValue(packed: PackedValue): Steps<unknown> {
  if (typeof packed === 'string') {
    yield;
    return withoutPrototypes(JSON.parse(packed));
  }
  if ('list' in packed) {
    const list: unknown[] = [];
    for (const item of packed.list) list.push(yield* unpackValue(item));
    return list;
  }
  const mapping: Record<string, unknown> = Object.create(null);
  for (const [key, member] of packed.members) mapping[key] = yield* unpackValue(member);
  return mapping;
}

function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  return isMapping(value) ? mappingOf(value) : value;
}

function mappingOf(source: Mapping): Mapping {
  const mapping: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(source)) mapping[key] = withoutPrototypes(member);
  return mapping;
}
