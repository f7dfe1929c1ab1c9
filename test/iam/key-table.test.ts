import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContextEntry, KeyTable, type KeyValue } from '../../src/iam/key-table.ts';

const names = [
  's3:prefix',
  's3:Prefix',
  'aws:a',
  ...['x', 'X', 'ж', 'Ж', 'ς', 'σ'].map((key) => `t:tag/${key}`),
];
const tags = [...names, ...Array.from({ length: 12 }, (_, at) => `t:tag/${at}`)].filter((name) =>
  name.includes('tag/'),
);
const value = fc.oneof(fc.constantFrom('', 'v', 'w'), fc.array(fc.constantFrom('v', 'w'), { maxLength: 2 }));
const entriesOf = (keys: readonly string[]): fc.Arbitrary<ContextEntry[]> =>
  fc.array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 20 });

/** What a table says about every key; `twice` when it cannot be built. */
function told(build: () => KeyTable): 'twice' | readonly (KeyValue | undefined)[] {
  try {
    const table = build();
    return [...names, ...tags].map((name) => table.get(name.toLowerCase().replace('ς', 'σ')));
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return 'twice';
  }
}

describe('a table of keys on top of another', () => {
  it.each([
    ['tags', tags],
    ['keys of all kinds', names],
  ])('says the same as one table of both lists: %s', (_, keys) => {
    fc.assert(
      fc.property(entriesOf(keys), entriesOf(keys), (below, own) => {
        expect(told(() => new KeyTable(own, new KeyTable(below)))).toEqual(
          told(() => new KeyTable([...below, ...own])),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
