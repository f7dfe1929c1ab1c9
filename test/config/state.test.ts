import { describe, expect, it } from 'vitest';
import { testCaPem } from '../support/identity-provider.ts';
import { configuration, load, problemsOf } from './samples.ts';

const problems = (section: string, variables: Readonly<Record<string, string>> = {}): readonly string[] =>
  problemsOf(configuration({ section }), { variables }).map((line) =>
    line.replace(/^sidecar\.yaml:\d+:\d+ /, ''),
  );
const settings = (section: string, world = {}) => load(configuration({ section }), world).settings;

describe('state', () => {
  it('is kept in the process by default', () => {
    expect(settings('').state).toEqual({ maxStalenessSeconds: 60 });
    expect(settings('state: { maxStalenessSeconds: 5 }').state).toEqual({ maxStalenessSeconds: 5 });
  });

  it.each([
    'redis://127.0.0.1:6379',
    'redis://redis',
    'redis://redis:6379/7',
    'rediss://user:p%40ss@redis.example.com:6380/0',
    'redis://:password@[::1]:6379',
  ])('is kept in the Redis at %s', (url) => {
    const { state } = settings('state: { redis: { url: { env: REDIS_URL } } }', {
      variables: { REDIS_URL: url },
    });
    expect(state.redis?.url?.reveal()).toBe(url);
  });

  it.each([
    'http://redis:6379',
    'redis:6379',
    'redis:///0',
    'redis://:100%@redis',
    'redis://redis:6379/name',
    'redis://redis:6379/0?x=1',
    'redis://redis:6379#x',
    'redis://red is:6379',
    'redis://redis:99999',
    'unix:/run/redis.sock',
  ])('refuses a Redis at %s and does not show it', (url) => {
    const found = problems('state: { redis: { url: { env: REDIS_URL } } }', { REDIS_URL: url });
    expect(found).toEqual([expect.stringMatching(/^state\.redis\.url: must be redis:\/\/host:port or /)]);
    expect(found.join()).not.toContain(url);
  });

  it('warns of a literal URL, which may hold a password', () => {
    const { warnings } = load(configuration({ section: 'state: { redis: { url: "redis://redis:6379" } }' }));
    expect(warnings.join()).toContain('state.redis.url: warning: a literal secret');
  });

  it('is kept in the master that Sentinels name', () => {
    const section =
      'state: { redis: { sentinels: [{ host: a }, { host: "::1", port: 5 }], masterName: main, database: 3, tls: true, username: u, password: { env: P }, sentinelUsername: s, sentinelPassword: { env: S } } }';
    const { redis } = settings(section, { variables: { P: 'p-secret', S: 's-secret' } }).state;
    const { password, sentinelPassword, ...others } = redis ?? {};
    expect(others).toEqual({
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: '::1', port: 5 },
      ],
      masterName: 'main',
      database: 3,
      tls: true,
      username: 'u',
      sentinelUsername: 's',
    });
    expect([password?.reveal(), sentinelPassword?.reveal()]).toEqual(['p-secret', 's-secret']);
    expect(JSON.stringify(redis)).not.toContain('-secret');
  });

  it('is kept in a Cluster', () => {
    const { redis } = settings('state: { redis: { cluster: ["redis://a:1", "redis://[::1]:2"] } }').state;
    expect(redis).toEqual({ cluster: ['redis://a:1', 'redis://[::1]:2'] });
  });

  it('has one user and password', () => {
    const section = 'state: { redis: { url: { env: REDIS_URL }, username: u, password: { env: P } } }';
    const { redis } = settings(section, { variables: { REDIS_URL: 'redis://a', P: 'p-secret' } }).state;
    expect([redis?.username, redis?.password?.reveal()]).toEqual(['u', 'p-secret']);
    expect(problems(section, { REDIS_URL: 'redis://x:y@a', P: 'p-secret' })).toEqual([
      'state.redis.password: must not be there when the URL has a user or a password',
    ]);
  });

  it('trusts a private authority', () => {
    const section = 'state: { redis: { url: { env: REDIS_URL }, caFile: ca.pem } }';
    const world = { variables: { REDIS_URL: 'rediss://redis' }, files: { 'ca.pem': testCaPem } };
    expect(settings(section, world).state.redis?.caPem).toContain('BEGIN CERTIFICATE');
    expect(problems(section, { REDIS_URL: 'rediss://redis' })).toEqual([
      'state.redis.caFile: the file "ca.pem" cannot be read: ENOENT',
    ]);
  });

  it.each([
    [
      'state: { maxStalenessSeconds: 0 }',
      'state.maxStalenessSeconds: must be a whole number from 1 to 86400',
    ],
    ['state: { redis: {} }', 'state.redis: must have one of url, sentinels and cluster'],
    [
      'state: { redis: { url: { env: REDIS_URL }, cluster: ["redis://a:1"] } }',
      'state.redis: must have one of url, sentinels and cluster',
    ],
    ['state: { redis: { sentinels: [{ host: a }] } }', 'state.redis.masterName: is required with sentinels'],
    ['state: { redis: { sentinels: [], masterName: m } }', 'state.redis.sentinels: must name at least one'],
    [
      'state: { redis: { sentinels: [{ host: "redis://a" }], masterName: m } }',
      'state.redis.sentinels[0].host: must be a host name or an address, without a port',
    ],
    [
      'state: { redis: { sentinels: [{ host: a }], masterName: m, sentinelUsername: u } }',
      'state.redis.sentinelUsername: needs sentinelPassword',
    ],
    [
      'state: { redis: { cluster: ["redis://user:hunter2@a:1"] } }',
      'state.redis.cluster[0]: must be redis://host:port or rediss://host:port, without a user, a password and a database',
    ],
    [
      'state: { redis: { cluster: ["redis://a:1", "rediss://b:1"] } }',
      'state.redis.cluster: must have one scheme: TLS with all nodes, or with none',
    ],
    [
      'state: { redis: { cluster: ["redis://a:1"], masterName: m } }',
      'state.redis.masterName: needs sentinels',
    ],
    ['state: { redis: { cluster: ["redis://a:1"], tls: true } }', 'state.redis.tls: needs sentinels'],
    ['state: { redis: { cluster: ["redis://a:1"], username: u } }', 'state.redis.username: needs password'],
    [
      'state: { redis: { cluster: ["rediss://a:1"], certFile: a.pem } }',
      'state.redis: must have certFile and keyFile together',
    ],
    ['state: { redis: { url: { env: NONE } } }', 'state.redis.url: the environment variable NONE is not set'],
    ['state: { reddis: {} }', 'state.reddis: unknown key (did you mean "redis"?)'],
  ])('refuses %s', (section, problem) => {
    expect(problems(section)).toEqual([problem]);
  });
});

describe('control', () => {
  const token = { variables: { CONTROL: 'a-token-of-some-length' } };

  it('is off without a token, and says so when the section is there', () => {
    expect(settings('').control.token).toBeUndefined();
    const loaded = load(configuration({ section: 'control: { listen: "127.0.0.1:9091" }' }));
    expect(loaded.settings.control.token).toBeUndefined();
    expect(loaded.warnings.join()).toContain('control: warning: without a token this listener is off');
  });

  it.each(['127.0.0.1:9091', '127.8.8.8:1', '[::1]:9091', 'localhost:9091'])('listens on %s', (listen) => {
    const section = `control: { listen: "${listen}", token: { env: CONTROL } }`;
    expect(settings(section, token).control.token?.reveal()).toBe('a-token-of-some-length');
  });

  it.each([
    '0.0.0.0:9091',
    '10.0.0.1:9091',
    '[::]:9091',
    'sidecar.example.com:9091',
    '[::ffff:127.0.0.1]:9091',
  ])('does not listen on %s, which is not a loopback address', (listen) => {
    expect(problems(`control: { listen: "${listen}", token: { env: CONTROL } }`, token.variables)).toEqual([
      'control.listen: must be a loopback address, or have tls: its traffic is not encrypted',
    ]);
  });

  it.each(['short', 'with a space in the token', 'ümlauts-in-the-token', 'x'.repeat(513)])(
    'refuses a token like that without showing it (%#)',
    (text) => {
      const found = problems('control: { token: { env: CONTROL } }', { CONTROL: text });
      expect(found).toEqual(['control.token: must be 16 to 512 printable characters without spaces']);
    },
  );

  it.each([
    ['server', 'server: { listen: "127.0.0.1:9091" }'],
    ['admin', 'admin: { listen: "0.0.0.0:9091" }'],
  ])('has a port of its own, not that of %s', (name, other) => {
    expect(problems(`control: { token: { env: CONTROL } }\n${other}`, token.variables)).toEqual([
      `control.listen: must not have the port of ${name}.listen`,
    ]);
    expect(settings(other).control.listen.port).toBe(9091);
  });
});

describe('revocations', () => {
  it('are read in every form', () => {
    const { revocations } = settings(`revocations:
  - { role: data-reader, issuedBefore: "2026-11-22T00:00:00Z" }
  - { sessionId: abc }
  - { roleSession: data-reader/ci }
  - { user: Alice }
  - { issuer: "https://login.example.com" }
  - { issuedBefore: 2026-11-22T00:00:00.5Z }`);
    expect(revocations).toEqual([
      { selector: { kind: 'role', value: 'data-reader' }, issuedBeforeMs: Date.UTC(2026, 10, 22) },
      { selector: { kind: 'sessionId', value: 'abc' }, issuedBeforeMs: undefined },
      { selector: { kind: 'roleSession', value: 'data-reader/ci' }, issuedBeforeMs: undefined },
      { selector: { kind: 'user', value: 'Alice' }, issuedBeforeMs: undefined },
      { selector: { kind: 'issuer', value: 'https://login.example.com' }, issuedBeforeMs: undefined },
      { selector: undefined, issuedBeforeMs: Date.UTC(2026, 10, 22) + 500 },
    ]);
  });

  it.each([
    ['revocations: {}', 'revocations: must be a list'],
    ['revocations: [data-reader]', 'revocations[0]: must be a mapping'],
    [
      'revocations: [{}]',
      'revocations[0]: must hold one of sessionId, roleSession, role, user, issuer, or issuedBefore',
    ],
    [
      'revocations: [{ role: data-raeder }]',
      'revocations[0].role: no role has this name (did you mean "data-reader"?)',
    ],
    ['revocations: [{ user: alcie }]', 'revocations[0].user: no user has this name (did you mean "alice"?)'],
    [
      'revocations: [{ rol: x, issuedBefore: "2026-11-22T00:00:00Z" }]',
      'revocations[0].rol: unknown key (did you mean "role"?)',
    ],
    [
      'revocations: [{ role: data-reader, user: alice }]',
      'revocations[0].user: cannot be combined with role: a revocation names one',
    ],
    ['revocations: [{ role: 7 }]', 'revocations[0].role: must be text of 1 to 2048 characters'],
    [
      'revocations: [{ issuedBefore: 2026-11-22 }]',
      'revocations[0].issuedBefore: must be a time in UTC, for example 2026-11-22T00:00:00Z',
    ],
  ])('refuses %s', (section, problem) => {
    expect(problems(section)).toEqual([problem]);
  });

  it('are read with a warning where the issuer is not, or no longer, configured', () => {
    const section = 'revocations: [{ issuer: "https://gone.example.com" }]';
    const { warnings } = load(configuration({ section }));
    expect(warnings.join()).toContain(
      'revocations[0].issuer: warning: no configured identity provider has this name',
    );
  });

  it.each([
    ['role: "arn:aws:iam::123456789012:role/gone"', 'role', 'role'],
    ['role: "arn:aws:iam::123456789012:role/team/a/gone"', 'role', 'role'],
    ['role: "arn:minio:iam:eu::role/gone"', 'role', 'role'],
    ['roleSession: "arn:aws:iam::123456789012:role/gone/ci"', 'roleSession', 'role'],
    ['user: "arn:aws:iam::123456789012:user/gone"', 'user', 'user'],
  ])('are read with a warning where %s is not, or no longer, configured', (entry, key, type) => {
    const { warnings } = load(configuration({ section: `revocations: [{ ${entry} }]` }));
    expect(warnings.join()).toContain(`revocations[0].${key}: warning: no ${type} has this ARN`);
  });

  it.each([
    ['role: gone', 'role', 'role'],
    ['role: "arn:aws:iam::999999999999:role/gone"', 'role', 'role'],
    ['role: "arn:aws:iam::123456789012:user/gone"', 'role', 'role'],
    ['roleSession: "gone/ci"', 'roleSession', 'role'],
    ['user: gone', 'user', 'user'],
  ])('with %s are refused, and the fault says how a deleted one is named', (entry, key, type) => {
    const [problem] = problems(`revocations: [{ ${entry} }]`);
    expect(problem).toBe(
      `revocations[0].${key}: no ${type} has this name: a deleted one is named by its whole ARN, arn:aws:iam::123456789012:${type}/…`,
    );
  });

  it('points at the place in the file', () => {
    const text = configuration({ section: 'revocations:\n  - { role: data-reader }\n  - { role: nobody }' });
    const line = text.split('\n').findIndex((one) => one.includes('nobody')) + 1;
    expect(problemsOf(text)[0]).toMatch(new RegExp(`^sidecar\\.yaml:${line}:13 revocations\\[1\\]\\.role: `));
  });
});
