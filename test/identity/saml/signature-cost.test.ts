import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { C14nCanonicalization, ExclusiveCanonicalization } from 'xml-crypto';
import { RefutedSignatures } from '../../../src/identity/saml/refuted-signatures.ts';
import { selfSigned } from '../../support/certificates.ts';
import { rsaKey } from '../../support/keys.ts';
import { toBase64, writeResponse } from '../../support/saml-idp.ts';
import { createSamlWorld, nowMs, type SamlWorld } from './saml-world.ts';

const { idp, other } = createSamlWorld();
const others = Array.from({ length: 9 }, (_, index) => selfSigned(rsaKey(`another-${index}`)));

/** A provider whose metadata holds that many certificates, the one that signs last. */
function worldOf(certificates: number): SamlWorld {
  return createSamlWorld({
    settings: {
      entityId: idp.entityId,
      certificates: [...others.slice(0, certificates - 1), idp.certificate],
    },
  });
}

/** The names of the elements that were canonicalized, in order. */
const canonicalized: string[] = [];

beforeEach(() => {
  canonicalized.length = 0;
  const inclusive = C14nCanonicalization.prototype;
  const exclusive = ExclusiveCanonicalization.prototype;
  const { process: inclusiveProcess } = inclusive;
  const { process: exclusiveProcess } = exclusive;
  vi.spyOn(inclusive, 'process').mockImplementation(function (this: C14nCanonicalization, node, options) {
    canonicalized.push(Reflect.get(node, 'localName'));
    return inclusiveProcess.call(this, node, options);
  });
  vi.spyOn(exclusive, 'process').mockImplementation(function (
    this: ExclusiveCanonicalization,
    node,
    options,
  ) {
    canonicalized.push(Reflect.get(node, 'localName'));
    return exclusiveProcess.call(this, node, options);
  });
});
afterEach(() => vi.restoreAllMocks());

const documents = (): string[] => canonicalized.filter((name) => name !== 'SignedInfo');
const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
const respond = (content: string): string => writeResponse(content, idp.entityId, nowMs);
const wrongValue = (xml: string): string => xml.replace(/<ds:SignatureValue>..../, '<ds:SignatureValue>AAAA');

const otherDigest = (xml: string): string =>
  xml.replace(/(?<=<ds:DigestValue>)./, (first) => (first === 'A' ? 'B' : 'A'));

describe.each([1, 2, 10])('with %i certificates', (certificates) => {
  const world = worldOf(certificates);

  it.each<[string, () => string, readonly string[]]>([
    ['a signed assertion', () => text(idp.respond()), ['Assertion']],
    ['a signed response', () => idp.sign(respond(idp.assertion())), ['Response']],
    [
      'a signed assertion in a signed response',
      () => idp.sign(respond(idp.sign(idp.assertion()))),
      ['Response', 'Assertion'],
    ],
  ])('%s is canonicalized once', async (_, write, expected) => {
    expect(await world.verdict(toBase64(write()))).toBe('accepted');
    expect(documents()).toEqual(expected);
  });

  it.each<[string, () => string]>([
    ['without a signature', () => respond(idp.assertion())],
    ['with a wrong signature value', () => wrongValue(text(idp.respond()))],
    [
      'with an empty signature value',
      () => text(idp.respond()).replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'),
    ],
    ['that another key signed', () => text(idp.respond({}, { key: other.privateKey }))],
    ['whose signed part was changed', () => otherDigest(text(idp.respond()))],
    [
      'with a signature too long',
      () => text(idp.respond()).replace('<ds:SignedInfo>', `${' '.repeat(6_144)}<ds:SignedInfo>`),
    ],
    [
      'of which the outer signature is wrong',
      () => idp.sign(respond(idp.sign(idp.assertion())), { key: other.privateKey }),
    ],
    [
      'of which the inner signature is wrong',
      () => idp.sign(respond(idp.sign(idp.assertion(), { key: other.privateKey }))),
    ],
  ])('a document %s is refused and not canonicalized', async (_, write) => {
    expect(await world.verdict(toBase64(write()))).toBe('bad_signature');
    expect(documents()).toEqual([]);
  });

  it('a document that was changed under a valid signature value is canonicalized once, and refused', async () => {
    const changed = text(idp.respond()).replace('ada@example.com', 'eve@example.com');
    expect(await world.verdict(toBase64(changed))).toBe('bad_signature');
    expect(documents()).toEqual(['Assertion']);
  });

  it('what is signed is canonicalized as often as with one certificate', async () => {
    await world.verdict(idp.respond({}, { key: other.privateKey }));
    const often = canonicalized.length;
    canonicalized.length = 0;
    await worldOf(1).verdict(idp.respond({}, { key: other.privateKey }));
    expect(canonicalized).toHaveLength(often);
  });
});

describe('a valid signature value in many messages', () => {
  const changed = (at: number): string =>
    toBase64(text(idp.respond({ id: '_same', issuedAtMs: nowMs })).replace('ada@', `eve-${at}@`));
  const remembering = (): SamlWorld =>
    createSamlWorld({
      remembers: true,
      settings: { entityId: idp.entityId, certificates: [idp.certificate] },
    });

  it('has one of them canonicalized in five minutes', async () => {
    const world = remembering();
    for (let at = 0; at < 5; at += 1) expect(await world.verdict(changed(at))).toBe('bad_signature');
    expect(documents()).toEqual(['Assertion']);
    expect(await world.verdict(changed(5), nowMs + 299_999)).toBe('bad_signature');
    expect(documents()).toHaveLength(1);
    expect(await world.verdict(changed(6), nowMs + 300_000)).toBe('bad_signature');
    expect(documents()).toHaveLength(2);
  });

  it('costs no other message anything', async () => {
    const world = remembering();
    for (let at = 0; at < 5; at += 1) await world.verdict(changed(at));
    expect(await world.verdict(idp.respond())).toBe('accepted');
  });

  it('is remembered among the latest thousand', async () => {
    const refuted = new RefutedSignatures();
    for (let at = 0; at < 5_000; at += 1) refuted.add(`signature ${at}`, nowMs);
    const known = Array.from({ length: 5_000 }, (_, at) => refuted.has(`signature ${at}`, nowMs));
    expect(known.filter(Boolean)).toHaveLength(1_024);
    expect(known.at(-1)).toBe(true);
  });
});

describe('a reference of the signature into itself', () => {
  it('is refused: identifiers may not be repeated', async () => {
    const id = '_assertion-x';
    const signed = idp.sign(idp.assertion({ id }));
    const selfish = signed.replace('<ds:SignedInfo>', `<ds:SignedInfo ID="${id}">`);
    expect(await createSamlWorld().verdict(toBase64(respond(selfish)))).toBe('malformed');
    expect(canonicalized).toEqual([]);
  });
});
