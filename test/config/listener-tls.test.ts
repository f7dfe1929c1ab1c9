import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { configuration, load, parse, problemsOf, validSections } from './samples.ts';

const authority = createAuthority();
const between = authority.intermediate('between');
const issued = between.issue({ names: ['s3.example.com'] });
const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
});
const weak = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});

const files = {
  'tls.crt': issued.certPem + between.certPem,
  'tls.key': issued.keyPem,
  'other.key': authority.issue().keyPem,
  'ca.crt': authority.certPem,
  'encrypted.key': String(encrypted),
  'weak.key': String(weak),
  'empty.crt': '',
  'reversed.crt': between.certPem + issued.certPem,
  'broken.crt': issued.certPem.replace('\n', '\n!'),
};

const tls = (certFile: string, keyFile: string, more = ''): string =>
  `{ certFile: ${certFile}, keyFile: ${keyFile}${more} }`;
const server = (section: string): string => configuration({ server: `server: { tls: ${section} }` });

describe('the tls of a listener', () => {
  it('is read with its chain and the authorities of its clients', () => {
    const { settings, warnings } = load(server(tls('tls.crt', 'tls.key', ', clientCaFile: ca.crt')), {
      files,
    });
    expect(warnings).toEqual([]);
    expect(settings.server.tls?.certPem).toBe(files['tls.crt']);
    expect(settings.server.tls?.keyPem.reveal()).toBe(files['tls.key']);
    expect(settings.server.tls?.clientCaPem?.trim()).toBe(files['ca.crt'].trim());
    expect(JSON.stringify(settings.server)).not.toContain('PRIVATE KEY');
  });

  it.each([
    ['a file that is missing', tls('no.crt', 'tls.key'), 'certFile: the file "no.crt" cannot be read'],
    [
      'a file without a certificate',
      tls('empty.crt', 'tls.key'),
      'certFile: the file "empty.crt" cannot be read as PEM',
    ],
    [
      'a broken certificate',
      tls('broken.crt', 'tls.key'),
      'certFile: the file "broken.crt" cannot be read as PEM',
    ],
    [
      'a key where the certificate should be',
      tls('tls.key', 'tls.key'),
      'certFile: the file "tls.key" cannot be read as PEM',
    ],
    [
      'the key of another certificate',
      tls('tls.crt', 'other.key'),
      'keyFile: is not the key of the first certificate',
    ],
    [
      'a chain in the wrong order',
      tls('reversed.crt', 'tls.key'),
      'keyFile: is not the key of the first certificate',
    ],
    ['a key with a passphrase', tls('tls.crt', 'encrypted.key'), 'without a passphrase'],
    ['a weak key of another kind', tls('tls.crt', 'weak.key'), 'keyFile: is not the key'],
    [
      'a certificate that is no authority',
      tls('tls.crt', 'tls.key', ', clientCaFile: tls.crt'),
      'clientCaFile: the file "tls.crt" must hold certificates',
    ],
    ['no key', '{ certFile: tls.crt }', 'keyFile: is required'],
    ['an unknown setting', tls('tls.crt', 'tls.key', ', ciphers: x'), 'ciphers: unknown key'],
  ])('must not have %s', (_, section, message) => {
    const problems = problemsOf(server(section), { files });
    expect(
      problems.filter((problem) => problem.includes(`server.tls.${message}`) || problem.includes(message)),
    ).toHaveLength(1);
    expect(problems.join()).not.toContain('PRIVATE');
  });

  it('warns of a certificate that has expired, or is not valid yet', () => {
    const day = 86_400_000;
    const late = authority.issue({ from: new Date(Date.now() - 3 * day), to: new Date(Date.now() - day) });
    const early = authority.issue({ from: new Date(Date.now() + day) });
    for (const [{ certPem, keyPem }, message] of [
      [late, 'expired on'],
      [early, 'is valid from'],
    ] as const) {
      const loaded = load(server(tls('t.crt', 't.key')), { files: { 't.crt': certPem, 't.key': keyPem } });
      expect(loaded.warnings).toEqual([expect.stringContaining(message)]);
    }
  });

  it('lets control listen beyond loopback, and ends the warning about plain HTTP', () => {
    const section = tls('tls.crt', 'tls.key');
    const text = configuration({
      server: `server: { listen: "0.0.0.0:9000", tls: ${section} }`,
      control: `control: { listen: "0.0.0.0:9091", token: { env: CONTROL }, tls: ${section} }`,
      admin: `admin: { tls: ${section} }`,
    });
    const { settings, warnings } = load(text, { files, variables: { CONTROL: 'control-token-of-tests' } });
    expect(warnings).toEqual([]);
    expect(settings.control.listen.host).toBe('0.0.0.0');
    expect(settings.admin.tls?.certPem).toBe(files['tls.crt']);
  });
});

describe('the further certificates of a listener', () => {
  const wild = authority.issue({ names: ['*.S3.Example.com', 'other.example.com', '192.0.2.1'] });
  const nameless = authority.issue({ names: ['192.0.2.1'] });
  const more = {
    ...files,
    'wild.crt': wild.certPem,
    'wild.key': wild.keyPem,
    'nameless.crt': nameless.certPem,
    'nameless.key': nameless.keyPem,
  };
  const withPairs = (...pairs: readonly string[]): string =>
    server(tls('tls.crt', 'tls.key', `, certificates: [${pairs.join(', ')}]`));

  it('have the names of the file, or else the DNS names of the certificate', () => {
    const text = withPairs(
      tls('wild.crt', 'wild.key'),
      tls('tls.crt', 'tls.key', ', names: [S3.EXAMPLE.com]'),
    );
    const { settings, warnings } = load(text, { files: more });
    expect(warnings).toEqual([]);
    expect(settings.server.tls?.certificates.map(({ names }) => names)).toEqual([
      ['*.s3.example.com', 'other.example.com'],
      ['s3.example.com'],
    ]);
    expect(JSON.stringify(settings.server)).not.toContain('PRIVATE KEY');
  });

  it('come with a warning for a name that the certificate does not have, or that another one has taken', () => {
    const text = withPairs(
      tls('wild.crt', 'wild.key', ', names: ["*.s3.example.com", "*.example.com", s3.example.com]'),
      tls('tls.crt', 'tls.key'),
    );
    const path = 'server.tls.certificates';
    expect(load(text, { files: more }).warnings).toEqual([
      expect.stringContaining(
        `${path}[0].names[1]: warning: is no name of the certificate: clients refuse it`,
      ),
      expect.stringContaining(
        `${path}[0].names[2]: warning: is no name of the certificate: clients refuse it`,
      ),
      expect.stringContaining(
        `${path}[1]: warning: certificates[0] is shown to clients that ask for s3.example.com, not this one`,
      ),
    ]);
  });

  it.each([
    ['no name', tls('nameless.crt', 'nameless.key'), '[0].certFile: has no DNS name'],
    ['the key of another', tls('wild.crt', 'tls.key'), '[0].keyFile: is not the key'],
    ['a missing file', tls('no.crt', 'wild.key'), '[0].certFile: the file "no.crt" cannot be read'],
    [
      'an authority of its own',
      tls('wild.crt', 'wild.key', ', clientCaFile: ca.crt'),
      '[0].clientCaFile: unknown',
    ],
    ['no key', '{ certFile: wild.crt }', '[0].keyFile: is required'],
    ...[
      '192.0.2.1',
      '"*"',
      '"a.*.example.com"',
      '"*a.example.com"',
      'a..b',
      '"s3.example.com:443"',
      '""',
    ].map((name): [string, string, string] => [
      `the name ${name}`,
      tls('wild.crt', 'wild.key', `, names: [${name}]`),
      '[0].names[0]: must be a host name without a port, or one behind *.',
    ]),
  ])('must not have %s', (_, pair, message) => {
    expect(problemsOf(withPairs(pair), { files: more })).toEqual([
      expect.stringContaining(`server.tls.certificates${message}`),
    ]);
  });
});

describe('backend.tls', () => {
  const backend = (section: string, scheme = 'https'): string =>
    configuration({
      backend: `${validSections['backend']?.replace('http:', `${scheme}:`)}\n  tls: ${section}`,
    });

  it('is an authority, a certificate, or both', () => {
    const both = load(backend('{ caFile: ca.crt, certFile: tls.crt, keyFile: tls.key }'), { files });
    expect(both.settings.backend.tls?.caPem?.trim()).toBe(files['ca.crt'].trim());
    expect(both.settings.backend.tls?.keyPem?.reveal()).toBe(files['tls.key']);
    expect(load(backend('{ caFile: ca.crt }'), { files }).settings.backend.tls?.certPem).toBeUndefined();
    expect(
      load(backend('{ certFile: tls.crt, keyFile: tls.key }'), { files }).settings.backend.tls?.caPem,
    ).toBeUndefined();
  });

  it.each([
    ['{ caFile: tls.crt }', 'https', 'backend.tls.caFile: the file "tls.crt" must hold certificates'],
    ['{ certFile: tls.crt }', 'https', 'backend.tls: must have certFile and keyFile together'],
    ['{ certFile: tls.crt, keyFile: other.key }', 'https', 'backend.tls.keyFile: is not the key'],
    ['{ caFile: ca.crt }', 'http', 'backend.tls: needs an https endpoint'],
  ])('must not be %s with %s', (section, scheme, message) => {
    expect(problemsOf(backend(section, scheme), { files })).toEqual([expect.stringContaining(message)]);
  });
});

it('is part of the same report as every other problem', () => {
  const result = parse(server('{}'), { files });
  expect(result.ok).toBe(false);
});
