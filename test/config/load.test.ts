import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { configurationPath } from '../../src/config/sources.ts';
import { configuration, load, parse, problemsOf, tokenKey, validSections } from './samples.ts';

describe('a valid configuration', () => {
  it('fills in the defaults of the contract', () => {
    const { settings, warnings } = load(configuration());
    expect(warnings).toEqual([]);
    expect(settings.server).toEqual({
      listen: { host: '127.0.0.1', port: 9000 },
      limits: {
        maxHeaderBytes: 32_768,
        headersTimeoutSeconds: 30,
        idleTimeoutSeconds: 120,
        maxConnections: 10_000,
        maxInFlight: 2000,
        maxUnauthenticated: 64,
        maxBufferedBytes: 67_108_864,
        requestsPerSecondPerClient: 0,
      },
      drainSeconds: 25,
      virtualHosts: [],
      trustedProxies: [],
    });
    expect(settings.admin.listen).toEqual({ host: '0.0.0.0', port: 9090 });
    expect(settings.backend).toMatchObject({
      endpoint: 'http://127.0.0.1:9001',
      region: 'us-east-1',
      unknownAccessKeys: 'reject',
      anonymous: 'reject',
      timeouts: { connectSeconds: 5, headersSeconds: 60, idleSeconds: 120 },
    });
    expect(settings.backend.credentials.secretAccessKey.reveal()).toBe('store-secret-value');
    expect(settings.account).toEqual({
      id: '123456789012',
      partition: 'aws',
      region: 'us-east-1',
      allowedRegions: [],
      disabledRegions: [],
    });
    expect(settings.tokens.keys[0]?.secret.reveal()).toBe(tokenKey);
    expect(settings.log).toEqual({ level: 'info', requests: true, objectKeys: 'full' });
  });

  it('normalises the endpoint and virtual hosts', () => {
    const text = configuration({
      backend: validSections['backend']?.replace('http://127.0.0.1:9001', 'HTTPS://Store.Example:443/'),
      server: 'server: { listen: "[::1]:9000", virtualHosts: [S3.Example.Internal] }',
    });
    const { settings } = load(text);
    expect(settings.backend.endpoint).toBe('https://store.example');
    expect(settings.server.listen).toEqual({ host: '::1', port: 9000 });
    expect(settings.server.virtualHosts).toEqual(['s3.example.internal']);
  });
});

describe('a broken configuration', () => {
  const broken = `apiVersion: sts-sidecar/v2
server:
  lisen: 127.0.0.1:9000
  tls: { certFile: tls.crt }
  limits: { maxConnections: 0 }
admin: { listen: 127.0.0.1 }
backend:
  endpoint: http://user:hunter2@store/bucket
  credentials: { accessKeyId: STOREKEY }
  unknownAccessKeys: passthru
account: { id: 123456789012 }
tokens: { sealWith: k2, keys: [ { id: k1, secret: { env: TOKEN_KEY } } ] }
log: { level: inof }
audit: { failClosed: true }
directory:
  policies:
    ReadData:
      Statement: [ { Effect: Alow, Action: "s3:GetObject", Resource: "*" } ]
  users:
    - name: alice
      policies: [ReedData]
    - name: Alice
      accessKeys: [ { accessKeyId: ASIA00000000, secretAccessKey: { env: ALICE_SECRET } } ]
  roles:
    - name: reader
      trustPolicy: { Version: 2012, Statement: [] }
      maxSessionDurationSeconds: 900
`;

  it('lists every problem at once, each with its place and a suggestion', () => {
    expect(problemsOf(broken)).toEqual([
      'sidecar.yaml:1:13 apiVersion: must be "sts-sidecar/v1"',
      'sidecar.yaml:3:3 server.lisen: unknown key (did you mean "listen"?)',
      'sidecar.yaml:4:8 server.tls.keyFile: is required',
      'sidecar.yaml:5:29 server.limits.maxConnections: must be a whole number from 1 to 1000000',
      'sidecar.yaml:6:18 admin.listen: must be host:port, for example 127.0.0.1:9000 or [::1]:9000',
      'sidecar.yaml:8:13 backend.endpoint: must be an http or https URL of scheme, host and port only: no user, path, query or fragment',
      'sidecar.yaml:9:16 backend.credentials.secretAccessKey: is required',
      'sidecar.yaml:10:22 backend.unknownAccessKeys: must be one of "reject", "passthrough"',
      'sidecar.yaml:11:16 account.id: must be text (numbers in quotes)',
      'sidecar.yaml:12:21 tokens.sealWith: no key has the id "k2" (did you mean "k1"?)',
      'sidecar.yaml:13:15 log.level: must be one of "debug", "info", "warn", "error" (did you mean "info"?)',
      'sidecar.yaml:14:22 audit.failClosed: needs a sink: stdout, file, webhook or otlp',
      'sidecar.yaml:18:30 directory.policies.ReadData.Statement[0].Effect: must be "Allow" or "Deny"',
      'sidecar.yaml:21:18 directory.users[0].policies[0]: no managed policy is named "ReedData" (did you mean "ReadData"?)',
      'sidecar.yaml:22:13 directory.users[1].name: repeats a user of this name, ignoring case',
      'sidecar.yaml:23:36 directory.users[1].accessKeys[0].accessKeyId: must not start with ASIA, which marks temporary keys',
      'sidecar.yaml:26:31 directory.roles[0].trustPolicy.Version: must be "2012-10-17" or "2008-10-17"',
      'sidecar.yaml:27:34 directory.roles[0].maxSessionDurationSeconds: must be a whole number from 3600 to 31536000',
    ]);
  });

  it('reports a repeated key together with everything else', () => {
    const problems = problemsOf(`${configuration()}\nlog: { level: info, level: debug }\nlgo: {}`);
    expect(problems).toEqual([
      'sidecar.yaml:20:21 the key is repeated',
      'sidecar.yaml:21:1 lgo: unknown key (did you mean "log"?)',
    ]);
  });

  it('requires the parts without defaults', () => {
    expect(problemsOf('log: {}')).toEqual([
      'sidecar.yaml:1:1 apiVersion: is required',
      'sidecar.yaml:1:1 backend: is required',
      'sidecar.yaml:1:1 account: is required',
      'sidecar.yaml:1:1 tokens: is required',
      'sidecar.yaml:1:1 directory or directoryFile is required',
    ]);
  });

  it.each([
    ['a list', '- a', 'sidecar.yaml:1:1 must be a mapping'],
    ['a word', 'hello', 'sidecar.yaml:1:1 must be a mapping'],
    ['nothing', '', 'sidecar.yaml:1:1 the file is empty'],
    ['comments only', '# to do\n', 'sidecar.yaml:1:1 the file is empty'],
  ])('rejects a file that holds %s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('never throws, whatever the text', () => {
    const valid = configuration();
    const mutated = fc
      .tuple(fc.nat(valid.length), fc.nat(40), fc.string({ maxLength: 12, unit: 'grapheme' }))
      .map(([at, length, text]) => valid.slice(0, at) + text + valid.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ maxLength: 200 })), (text) => {
        const result = parse(text);
        if (!result.ok) expect(result.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });
});

describe('precedence', () => {
  const text = `${configuration()}\nserver: { listen: 127.0.0.1:1111 }\nlog: { level: warn }`;
  const variables = {
    STS_SIDECAR_LISTEN: '127.0.0.1:2222',
    STS_SIDECAR_BACKEND: 'http://127.0.0.1:2223',
    STS_SIDECAR_LOG_LEVEL: 'error',
  };

  it('prefers the environment to the file', () => {
    const { settings } = load(text, { variables });
    expect(settings.server.listen.port).toBe(2222);
    expect(settings.backend.endpoint).toBe('http://127.0.0.1:2223');
    expect(settings.log.level).toBe('error');
  });

  it('prefers flags to the environment', () => {
    const overrides = { listen: '127.0.0.1:3333', backend: 'http://127.0.0.1:3334', logLevel: 'debug' };
    const { settings } = load(text, { variables, overrides });
    expect(settings.server.listen.port).toBe(3333);
    expect(settings.backend.endpoint).toBe('http://127.0.0.1:3334');
    expect(settings.log.level).toBe('debug');
  });

  it('treats an empty variable as unset', () => {
    expect(load(text, { variables: { STS_SIDECAR_LISTEN: '' } }).settings.server.listen.port).toBe(1111);
  });

  it('names the flag or variable that a bad value came from', () => {
    const world = { variables: { STS_SIDECAR_LISTEN: 'nowhere' }, overrides: { logLevel: 'wran' } };
    expect(problemsOf(text, world)).toEqual([
      'STS_SIDECAR_LISTEN server.listen: must be host:port, for example 127.0.0.1:9000 or [::1]:9000',
      '--log-level log.level: must be one of "debug", "info", "warn", "error" (did you mean "warn"?)',
    ]);
  });

  it('supplies a section that the file does not have', () => {
    const { settings } = load(configuration(), { overrides: { listen: '127.0.0.1:3333' } });
    expect(settings.server.listen.port).toBe(3333);
  });
});

describe('secrets', () => {
  const seed = 'Sd9-seeded-secret-Sd9';
  const show = (value: unknown): string =>
    JSON.stringify(value) + inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true });

  it('appear in no rendering of a loaded configuration, and literals are warned about', () => {
    const text = configuration({
      backend: validSections['backend']?.replace('{ env: STORE_SECRET }', seed),
      directory: validSections['directory']?.replace('{ env: ALICE_SECRET }', `"${seed}"`),
    });
    const result = load(text);
    expect(result.settings.backend.credentials.secretAccessKey.reveal()).toBe(seed);
    expect(result.warnings).toEqual([
      'sidecar.yaml:4:58 backend.credentials.secretAccessKey: warning: a literal secret: prefer { env: NAME } or { file: path }',
      'sidecar.yaml:14:75 directory.users[0].accessKeys[0].secretAccessKey: warning: a literal secret: prefer { env: NAME } or { file: path }',
    ]);
    expect(show(result)).not.toContain(seed);
  });

  const secretPlace = '{ env: STORE_SECRET }';
  it.each([
    ['too long', `"${seed.repeat(7)}"`],
    ['with a space', `"${seed} x"`],
    ['in a mapping', `{ ${seed} }`],
    ['as the value of an unknown key', `{ vault: ${seed} }`],
    ['as a variable name', `{ env: ${seed} }`],
    ['in a list', `[ ${seed} ]`],
    ['in an unfinished string', `"${seed}`],
    ['with a bad escape', `"${seed}\\q"`],
    ['after a reserved character', `@${seed}`],
    ['with a tag', `!secret ${seed}`],
    ['followed by more', `"${seed}" ${seed}`],
    ['in a block scalar header', `| ${seed}`],
  ])('appear in no problem: %s', (_, replacement) => {
    const text = configuration({ backend: validSections['backend']?.replace(secretPlace, replacement) });
    const result = parse(text);
    expect(result.ok).toBe(false);
    expect(show(result)).not.toContain(seed);
  });

  it('in an endpoint or a token key appear in no problem', () => {
    const text = configuration({
      backend: validSections['backend']?.replace('127.0.0.1:9001', `user:${seed}@store`),
      tokens: `tokens: { sealWith: k1, keys: [ { id: k1, secret: "${seed}" } ] }`,
    });
    const result = parse(text);
    expect(result.ok).toBe(false);
    expect(show(result)).not.toContain(seed);
  });
});

describe('loading from disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sts-sidecar-config-'));
    vi.stubEnv('STORE_SECRET', 'store-secret-value');
    vi.stubEnv('ALICE_SECRET', 'alice-secret-value');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it('finds secret files and the directory file beside the configuration', () => {
    writeFileSync(join(folder, 'token-key'), `${tokenKey}\n`);
    const directory = validSections['directory'] ?? '';
    writeFileSync(
      join(folder, 'directory.yaml'),
      directory
        .split('\n')
        .slice(1)
        .map((line) => line.slice(2))
        .join('\n'),
    );
    const path = join(folder, 'sidecar.yaml');
    const tokens = 'tokens: { sealWith: k1, keys: [ { id: k1, secret: { file: token-key } } ] }';
    writeFileSync(path, configuration({ tokens, directory: 'directoryFile: directory.yaml' }));
    const result = loadConfiguration(path, { listen: '127.0.0.1:0' });
    if (!result.ok) throw new Error(result.problems.join('\n'));
    expect(result.settings.tokens.keys[0]?.secret.reveal()).toBe(tokenKey);
    expect(result.directory.users.map(({ name }) => name)).toEqual(['alice']);
    expect(result.settings.server.listen.port).toBe(0);
  });

  it('rejects a file that is missing, not UTF-8, or larger than 8 MiB', () => {
    const path = join(folder, 'sidecar.yaml');
    expect(loadConfiguration(path, {})).toEqual({ ok: false, problems: [`${path} cannot be read: ENOENT`] });
    writeFileSync(path, Buffer.from([0x61, 0x3a, 0xff]));
    expect(loadConfiguration(path, {})).toEqual({ ok: false, problems: [`${path} is not UTF-8`] });
    writeFileSync(path, Buffer.alloc(8 * 1024 * 1024 + 1, '#'));
    expect(loadConfiguration(path, {})).toEqual({
      ok: false,
      problems: [`${path} is larger than 8388608 bytes`],
    });
  });

  it('does not read an endless device to its end', () => {
    expect(loadConfiguration('/dev/zero', {})).toEqual({
      ok: false,
      problems: ['/dev/zero is larger than 8388608 bytes'],
    });
  });

  it('takes the path from the flag, then from the environment', () => {
    vi.stubEnv('STS_SIDECAR_CONFIG', 'from-environment.yaml');
    expect(configurationPath('from-flag.yaml')).toBe('from-flag.yaml');
    expect(configurationPath(undefined)).toBe('from-environment.yaml');
    vi.stubEnv('STS_SIDECAR_CONFIG', '');
    expect(configurationPath(undefined)).toBeUndefined();
  });
});
