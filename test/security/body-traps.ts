import type { Trap } from './traps.ts';

/** Bodies that say something else than what was signed. */
export const bodyTraps: readonly Trap[] = [
  {
    trap: 'a chunk with a bad signature, the last one too, that is stored all the same; chunks that were moved',
    tests: [
      ['sigv4/signed-chunks.test.ts', 'is refused when two chunks are exchanged, repeated or left out'],
      ['forward/signed-uploads.test.ts', 'in its signature %i is never complete at the store'],
      [
        'property/signed-chunks.test.ts',
        'takes nothing from a signed body but what was signed, however it arrives and whatever was changed',
      ],
    ],
  },
  {
    trap: 'a form that says more than its policy covers, or that two readers read differently',
    tests: [
      ['e2e/refused-forms.test.ts', 'when its client leaves, at any stage'],
      ['s3/form-fields.test.ts', '%s are refused'],
    ],
  },
];
