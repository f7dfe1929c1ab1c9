import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import { createSamlWorld, nowMs } from '../identity/saml/saml-world.ts';
import { toBase64, writeResponse } from '../support/saml-idp.ts';

// The replay guard accepts everything, because a change that keeps the identity must not count as a replay.
const world = createSamlWorld({ used: { useOnce: () => Promise.resolve(true) } });
const { idp } = world;
const assertion = idp.sign(
  idp.assertion({ attributes: { 'PrincipalTag:team': ['blue'], SourceIdentity: ['ada'] } }),
);
const documents: Readonly<Record<string, string>> = {
  'a signed assertion': writeResponse(assertion, idp.entityId, nowMs),
  'a signed response': idp.sign(writeResponse(idp.assertion(), idp.entityId, nowMs)),
  'both signed': idp.sign(writeResponse(assertion, idp.entityId, nowMs)),
};

/** The identity as text; the reason when there is none. */
async function judged(base64: string): Promise<string> {
  try {
    const identity = await world.identify(base64);
    return JSON.stringify({ ...identity, conditionKeys: [...identity.conditionKeys] });
  } catch (error) {
    if (error instanceof IdentityFault) return `refused: ${error.reason}`;
    throw error;
  }
}

const markup = fc.constantFrom(
  '<',
  '>',
  '"',
  '&',
  '/',
  ' ',
  '\n',
  '\r',
  '\0',
  '\u00e4',
  '<!---->',
  '<![CDATA[',
  ']]>',
  '&amp;',
  '&#65;',
  '<x/>',
  'xmlns="urn:x" ',
  ' ID="_x"',
);

describe.each(Object.entries(documents))('a response with %s', (_, document) => {
  it('changed anywhere is refused or means the same', async () => {
    const original = await judged(toBase64(document));
    expect(original).toContain('"subject":"ada@example.com"');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(document.length),
        fc.nat(12),
        fc.oneof(markup, fc.string({ maxLength: 3, unit: 'binary' }), fc.constant('')),
        async (at, removed, added) => {
          const changed = document.slice(0, at) + added + document.slice(at + removed);
          const outcome = await judged(toBase64(changed));
          expect(outcome === original || outcome.startsWith('refused: ')).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('with a part moved or repeated is refused or means the same', async () => {
    const original = await judged(toBase64(document));
    const bounds = [...document.matchAll(/<[^>]*>/g)].flatMap((tag) => [
      tag.index,
      tag.index + tag[0].length,
    ]);
    const place = fc.constantFrom(...bounds);
    await fc.assert(
      fc.asyncProperty(place, place, place, fc.boolean(), async (one, other, to, isMoved) => {
        const [start, end] = one < other ? [one, other] : [other, one];
        const part = document.slice(start, end);
        const left = isMoved ? `${document.slice(0, start)}${document.slice(end)}` : document;
        const outcome = await judged(toBase64(left.slice(0, to) + part + left.slice(to)));
        expect(outcome === original || outcome.startsWith('refused: ')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('any text', () => {
  it('is refused with a typed reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), fc.string().map(toBase64)), async (text) => {
        expect(await judged(text)).toBe('refused: malformed');
      }),
    );
  });
});
