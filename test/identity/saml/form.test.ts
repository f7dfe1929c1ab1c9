import { describe, expect, it } from 'vitest';
import { startCpuTime } from '../../support/cpu-time.ts';
import { samlNames, toBase64 } from '../../support/saml-idp.ts';
import { createSamlWorld } from './saml-world.ts';

const world = createSamlWorld();
const { idp } = world;
const response = (): string => Buffer.from(idp.respond(), 'base64').toString();
const utf16 = (xml: string): Buffer =>
  Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${xml}`, 'utf16le');

const attributes = (count: number): string =>
  Array.from({ length: count }, (_, index) => `a${index}=""`).join(' ');
/** Elements with twenty attributes each. */
const wide = (count: number): string => `<x ${attributes(20)}/>`.repeat(Math.ceil(count / 20));
/** Nested elements. */
const nested = (depth: number): string => '<x>'.repeat(depth) + '</x>'.repeat(depth);
/** Nested elements that declare the same prefix again. */
const redeclared = (depth: number): string =>
  `${Array.from({ length: depth }, (_, index) => `<x xmlns:a="u${index}" xmlns:b="u${index}" xmlns:c="u${index}">`).join('')}${'</x>'.repeat(depth)}`;
/** As many empty elements as are missing from that number in a document. */
const fill = (xml: string, total: number): string =>
  '<x/>'.repeat(total - (xml.match(/<[a-z]/g)?.length ?? 0));

const lol = (depth: number): string => {
  const entities = Array.from(
    { length: depth },
    (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
  );
  return `<!DOCTYPE r [<!ENTITY l0 "lol">${entities.join('')}]>`;
};

describe('a document larger than providers write', () => {
  it.each<[string, () => string]>([
    ['with 350 values', () => idp.respond({ attributes: { 'urn:groups': Array<string>(350).fill('g') } })],
    [
      'with an attribute for each of 150 roles',
      () =>
        idp.respond({
          attributes: Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`urn:role-${at}`, ['r']])),
        }),
    ],
    [
      'with 18 declarations and attributes on its root',
      () =>
        toBase64(
          response().replace(
            ' IssueInstant',
            `${Array.from({ length: 18 }, (_, at) => ` xmlns:n${at}="urn:${at}"`).join('')} IssueInstant`,
          ),
        ),
    ],
  ])('is accepted: %s', async (_, write) => {
    expect(await world.verdict(write())).toBe('accepted');
  });
});

describe('a document that is not of the accepted form', () => {
  it.each<[string, (xml: string) => string]>([
    ['a DOCTYPE', (xml) => `<!DOCTYPE Response>${xml}`],
    ['a DOCTYPE in lower case', (xml) => `<!doctype Response>${xml}`],
    ['an external DOCTYPE', (xml) => `<!DOCTYPE Response SYSTEM "http://127.0.0.1:1/x.dtd">${xml}`],
    ['entities that expand', (xml) => lol(9) + xml.replace('ada@', '&l9;@')],
    [
      'an entity of a file',
      (xml) => `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml.replace('ada@', '&x;@')}`,
    ],
    ['an entity without a DOCTYPE', (xml) => xml.replace('ada@', '&nbsp;@')],
    ['an ampersand', (xml) => xml.replace('ada@', '&@')],
    ['a character that XML forbids', (xml) => xml.replace('ada@', '&#0;@')],
    ['a surrogate', (xml) => xml.replace('ada@', '&#xD800;@')],
    ['a comment before the root', (xml) => `<!-- x -->${xml}`],
    ['a comment after the root', (xml) => `${xml}<!-- x -->`],
    ['a comment in the name', (xml) => xml.replace('ada@', 'ada<!---->@')],
    [
      'a comment in the signature value',
      (xml) => xml.replace('<ds:SignatureValue>', '<ds:SignatureValue><!--x-->'),
    ],
    ['a comment in the digest', (xml) => xml.replace('<ds:DigestValue>', '<ds:DigestValue><!--x-->')],
    ['a CDATA section', (xml) => xml.replace('ada@example.com', '<![CDATA[ada@example.com]]>')],
    ['a processing instruction', (xml) => xml.replace('ada@', 'ada<?x?>@')],
    ['a style sheet', (xml) => `<?xml-stylesheet href="x"?>${xml}`],
    ['text after the root', (xml) => `${xml}x`],
    ['text before the root', (xml) => `x${xml}`],
    ['a second root', (xml) => `${xml}<x></x>`],
    ['a declaration that comes late', (xml) => ` <?xml version="1.0"?>${xml}`],
    ['another encoding', (xml) => `<?xml version="1.0" encoding="ISO-8859-1"?>${xml}`],
    ['XML 1.1', (xml) => `<?xml version="1.1"?>${xml}`],
    ['an element that does not end', (xml) => xml.slice(0, -1)],
    ['end tags in the wrong order', (xml) => xml.replace('</saml:NameID>', '</saml:Subject>')],
    ['an attribute twice', (xml) => xml.replace('ID="_response"', 'ID="_response" ID="_response"')],
    ['an attribute without quotes', (xml) => xml.replace('ID="_response"', 'ID=_response')],
    [
      'an attribute twice by its namespace',
      (xml) =>
        xml.replace('<samlp:Status>', '<samlp:Status xmlns:a="urn:x" xmlns:b="urn:x" a:y="1" b:y="2">'),
    ],
    [
      'a prefix that is declared twice',
      (xml) => xml.replace('<samlp:Status>', '<samlp:Status xmlns:x="urn:x" xmlns:x="urn:y">'),
    ],
    ['a prefix that is not declared', (xml) => xml.replace('<samlp:Status>', '<samlp:Status x:y="1">')],
    ['a prefix that is taken away', (xml) => xml.replace('<samlp:Status>', '<samlp:Status xmlns:samlp="">')],
    [
      'the prefix xml for something else',
      (xml) => xml.replace('<samlp:Status>', '<samlp:Status xmlns:xml="urn:x">'),
    ],
    [
      'a name beyond ASCII',
      (xml) => xml.replace('<samlp:Status>', '<samlp:Stätus></samlp:Stätus><samlp:Status>'),
    ],
    ['a smaller-than in an attribute', (xml) => xml.replace('ID="_response"', 'ID="_response" x="<"')],
    ['elements nested 17 deep', (xml) => xml.replace('<samlp:Status>', `${nested(16)}<samlp:Status>`)],
    ['401 elements', (xml) => xml.replace('<samlp:Status>', `${fill(xml, 401)}<samlp:Status>`)],
    [
      '25 attributes of one element',
      (xml) => xml.replace('<samlp:Status>', `<samlp:Status ${attributes(25)}>`),
    ],
    ['1,201 attributes', (xml) => xml.replace('<samlp:Status>', `${wide(1_201)}<samlp:Status>`)],
    [
      // The response declares one itself.
      'a prefix that is declared again and again',
      (xml) => xml.replace('<samlp:Status>', `${redeclared(8)}<samlp:Status>`),
    ],
    [
      'a namespace of 513 characters',
      (xml) => xml.replace('<samlp:Status>', `<samlp:Status xmlns:long="${'n'.repeat(513)}">`),
    ],
    [
      '40 prefixes at one place',
      (xml) => {
        const nested = Array.from(
          { length: 20 },
          (_, index) => `<x xmlns:a${index}="u" xmlns:b${index}="u">`,
        );
        return xml.replace('<samlp:Status>', `${nested.join('')}${'</x>'.repeat(20)}<samlp:Status>`);
      },
    ],
  ])('is refused: %s', async (_, change) => {
    const xml = response();
    const changed = change(xml);
    expect(changed).not.toBe(xml);
    expect(await world.verdict(toBase64(changed))).toBe('malformed');
  });

  it.each<[string, (xml: string) => string]>([
    ['another root', (xml) => xml.replaceAll('samlp:Response', 'samlp:ArtifactResponse')],
    ['a root of another namespace', (xml) => xml.replaceAll(samlNames.protocol, 'urn:x')],
    ['SAML 1.1', (xml) => xml.replace('Version="2.0"', 'Version="1.1"')],
    [
      'an assertion of SAML 1.1',
      (xml) => xml.replace(/(<saml:Assertion [^>]*)Version="2.0"/, '$1Version="1.1"'),
    ],
    [
      'an assertion of another namespace',
      (xml) => xml.replaceAll(samlNames.assertion, 'urn:oasis:names:tc:SAML:1.0:assertion'),
    ],
    ['a failure', (xml) => xml.replace('status:Success', 'status:Responder')],
    ['no status', (xml) => xml.replace(/<samlp:Status>.*<\/samlp:Status>/, '')],
    ['two statuses', (xml) => xml.replace(/<samlp:Status>.*<\/samlp:Status>/, '$&$&')],
  ])('is refused: %s', async (_, change) => {
    const xml = response();
    const changed = change(xml);
    expect(changed).not.toBe(xml);
    expect(await world.verdict(toBase64(changed))).toBe('malformed');
  });

  it.each<[string, () => string]>([
    ['no base64', () => 'not base64!'],
    ['base64 of another alphabet', () => `${idp.respond().slice(0, -2)}-_`],
    ['base64 that is cut off', () => idp.respond().slice(0, -1)],
    ['base64 with a space', () => ` ${idp.respond()}`],
    ['nothing', () => ''],
    ['XML without base64', response],
    ['bytes that are not UTF-8', () => Buffer.from([0x3c, 0xff, 0x3e, 0x3c]).toString('base64')],
    ['UTF-16', () => utf16(response()).toString('base64')],
    ['compressed', () => Buffer.from([0x78, 0x9c, 0x03, 0x00, 0x00]).toString('base64')],
    [
      'more than 100,000 characters',
      () => toBase64(response().replace('<samlp:Status>', `${' '.repeat(80_000)}<samlp:Status>`)),
    ],
  ])('is refused: %s', async (_, write) => {
    expect(await world.verdict(write())).toBe('malformed');
  });

  it('tells the caller nothing about its content', async () => {
    const xml = response().replace('ada@', '&secret;@');
    await expect(world.identify(toBase64(xml))).rejects.toMatchObject({ message: 'Invalid SAML response' });
  });

  it('is judged quickly, however it is built', async () => {
    const hostile = [
      '<'.repeat(70_000),
      `<a ${'x '.repeat(30_000)}`,
      `<${'a'.repeat(70_000)}>`,
      `<a>${'&'.repeat(70_000)}`,
      `<a x="${' '.repeat(70_000)}`,
      `<!--${'-'.repeat(70_000)}`,
      `<?xml${' '.repeat(70_000)}`,
      `<a>${'<b>'.repeat(20_000)}`,
      `<a>${'</a>'.repeat(17_000)}`,
      Array.from({ length: 60 }, (_, index) => `<a xmlns:n${index}="u">`)
        .join('')
        .repeat(20),
    ];
    const cpuMs = startCpuTime();
    for (const xml of hostile) expect(await world.verdict(toBase64(xml))).toBe('malformed');
    expect(cpuMs()).toBeLessThan(2000);
  });
});
