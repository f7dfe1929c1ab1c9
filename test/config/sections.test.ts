import { describe, expect, it } from 'vitest';
import { configuration, load, parse, problemsOf, tokenKey, validSections } from './samples.ts';

/** The one problem of a configuration with one section added or replaced. */
function problemWith(changes: Readonly<Record<string, string | undefined>>): string {
  const problems = problemsOf(configuration(changes));
  expect(problems).toHaveLength(1);
  return problems[0]?.replace(/^sidecar\.yaml:\d+:\d+ /, '') ?? '';
}

function backendWith(line: string): Readonly<Record<string, string>> {
  return { backend: `${validSections['backend']}\n  ${line}` };
}

describe('values of backend and limits', () => {
  it('knows what a store may have, and nothing else', () => {
    const all = [
      'annotations',
      'objectEncryption',
      'conditionalBatchDelete',
      'conditionalComplete',
      'conditionalCopy',
      'conditionalDelete',
      'sizeAndTimeConditions',
    ];
    expect(
      load(configuration(backendWith(`supports: [${all.join(', ')}]`))).settings.backend.supports,
    ).toEqual(all);
    expect(problemWith(backendWith('supports: [conditionalcopy]'))).toMatch(/^backend\.supports/);
  });

  it('rejects a way to send trailers that does not exist', () => {
    expect(problemWith(backendWith('trailers: keep'))).toMatch(/^backend\.trailers: /);
  });

  it.each(['-1', '0.5', '1000001', '"5"'])('rejects a request rate of %s', (rate) => {
    expect(problemWith({ section: `server: { limits: { requestsPerSecondPerClient: ${rate} } }` })).toContain(
      'server.limits.requestsPerSecondPerClient: ',
    );
  });
});

describe('account.disabledRegions', () => {
  const account = (regions: string): string =>
    `account: { id: "123456789012", disabledRegions: [${regions}] }`;

  it('is empty by default', () => {
    expect(load(configuration()).settings.account.disabledRegions).toEqual([]);
    expect(load(configuration({ account: account('eu-west-1') })).settings.account.disabledRegions).toEqual([
      'eu-west-1',
    ]);
  });

  it('must not hold the region that unsigned requests count for', () => {
    expect(problemWith({ account: account('eu-west-1, us-east-1') })).toBe(
      'account.disabledRegions[1]: must not be account.region: requests that name no region count as made there',
    );
  });
});

describe('authorization', () => {
  it('enforces, and shows every caller its own buckets, by default', () => {
    expect(load(configuration()).settings.authorization).toEqual({
      enforcement: 'enforce',
      listBuckets: 'filtered',
      encodedMessages: 'full',
    });
  });

  it('warns loudly of audit', () => {
    const { settings, warnings } = load(
      configuration({
        section: 'authorization: { enforcement: audit, listBuckets: strict, encodedMessages: off }',
      }),
    );
    expect(settings.authorization).toEqual({
      enforcement: 'audit',
      listBuckets: 'strict',
      encodedMessages: 'off',
    });
    expect(warnings).toContainEqual(
      expect.stringMatching(
        /authorization\.enforcement: warning: audit: requests that no identity policy allows/,
      ),
    );
  });

  it.each([
    'enforcement: off',
    'enforcement: Audit',
    'listBuckets: all',
    'encodedMessages: false',
    'enforce: audit',
  ])('rejects %s', (line) => {
    expect(problemWith({ section: `authorization: { ${line} }` })).toMatch(/^authorization\./);
  });
});

describe('server.trustedProxies', () => {
  it('reads addresses and ranges of both families', () => {
    const section = 'server: { trustedProxies: ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"] }';
    expect(load(configuration({ section })).settings.server.trustedProxies).toEqual([
      { address: '10.0.0.0', prefixBits: 8 },
      { address: '192.0.2.7', prefixBits: 32 },
      { address: '2001:db8::', prefixBits: 32 },
      { address: '::1', prefixBits: 128 },
    ]);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/08',
    '::/129',
    'proxy.internal',
    '*',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
  ])('rejects %s', (range) => {
    expect(problemWith({ section: `server: { trustedProxies: ["${range}"] }` })).toBe(
      'server.trustedProxies[0]: must be an IP address or CIDR range, for example 10.0.0.0/8',
    );
  });
});

describe('values', () => {
  it.each([
    '9000',
    ':9000',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:9000',
    '[::1:9000',
    '256.1.1.1:80',
    '[1.2.3.4]:80',
    'a b:80',
    '-x:80',
  ])('rejects the listen address %s', (listen) => {
    expect(problemWith({ section: `server: { listen: "${listen}" }` })).toMatch(
      /^server\.listen: must be host:port/,
    );
  });

  it.each([
    'ftp://store',
    'store:9001',
    'http://',
    'http://store/path',
    'http://store?x=1',
    'http://store/?',
    'http://store/#',
    'http://user@store',
    'http://user:pass@store',
    'http://store:99999',
    'http://store\\\\evil',
    'http:/store',
    'http://st ore',
  ])('rejects the endpoint %s', (endpoint) => {
    const backend = validSections['backend']?.replace('http://127.0.0.1:9001', `"${endpoint}"`);
    expect(problemWith({ backend })).toMatch(/^backend\.endpoint: must be an http or https URL/);
  });

  it.each([
    ['an unquoted number', '123456789012'],
    ['eleven digits', '"12345678901"'],
    ['letters', '"12345678901a"'],
  ])('rejects an account id that is %s', (_, id) => {
    expect(problemWith({ account: `account: { id: ${id} }` })).toMatch(/^account\.id: must be/);
  });

  it.each([
    ['account: { id: "123456789012", partition: azure }', 'account.partition: must be one of'],
    ['account: { id: "123456789012", region: "us east" }', 'account.region: must be a region name'],
    [
      'account: { id: "123456789012", allowedRegions: [""] }',
      'account.allowedRegions[0]: must be a region name',
    ],
    ['account: { id: "123456789012", allowedRegions: eu }', 'account.allowedRegions: must be a list'],
  ])('rejects %s', (account, problem) => {
    expect(problemWith({ account })).toContain(problem);
  });

  it.each([
    ['log: { requests: "yes" }', 'log.requests: must be true or false'],
    ['log: { requests: True }', 'log.requests: must be true or false'],
    ['log: { objectKeys: none }', 'log.objectKeys: must be one of "full", "hash", "off"'],
    [
      'server: { limits: { maxHeaderBytes: 0x8000 } }',
      'server.limits.maxHeaderBytes: must be a whole number',
    ],
    [
      'server: { limits: { idleTimeoutSeconds: 1.5 } }',
      'server.limits.idleTimeoutSeconds: must be a whole number',
    ],
    ['server: { virtualHosts: ["s3.example:9000"] }', 'server.virtualHosts[0]: must be a host name'],
    ['server: { virtualHosts: ["10.0.0.1"] }', 'server.virtualHosts[0]: must be a host name'],
    ['server: []', 'server: must be a mapping'],
    ['server:', 'server: must be a mapping'],
  ])('rejects %s', (section, problem) => {
    expect(problemWith({ section })).toContain(problem);
  });
});

describe('values from elsewhere', () => {
  const tokensFrom = (source: string): string =>
    configuration({ tokens: `tokens: { sealWith: k1, keys: [ { id: k1, secret: ${source} } ] }` });

  it.each([
    ['\n', tokenKey],
    ['\r\n', tokenKey],
    ['', tokenKey],
  ])('strips the line end %j of a file', (end, expected) => {
    const { settings } = load(tokensFrom('{ file: key }'), { files: { key: tokenKey + end } });
    expect(settings.tokens.keys[0]?.secret.reveal()).toBe(expected);
  });

  it('strips one line end only', () => {
    expect(problemsOf(tokensFrom('{ file: key }'), { files: { key: `${tokenKey}\n\n` } })).toHaveLength(1);
  });

  it.each([
    ['{ env: NO_SUCH_VARIABLE }', 'the environment variable NO_SUCH_VARIABLE is not set'],
    [
      '{ env: wJalrXUtnFEMI7MDENGbPxRfiCYEXAMPLEKEY }',
      'the environment variable that `env` names is not set',
    ],
    ['{ env: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ }', 'the environment variable that `env` names is not set'],
    ['{ env: EMPTY }', 'the environment variable EMPTY is empty'],
    ['{ file: no-such-file }', 'the file "no-such-file" cannot be read: ENOENT'],
    ['{ file: big }', 'the file "big" is larger than 65536 bytes'],
    ['{ env: A, file: b }', 'must be text in quotes, { env: NAME } or { file: path }'],
    ['{ env: "A B" }', 'must be text in quotes, { env: NAME } or { file: path }'],
    ['{}', 'must be text in quotes, { env: NAME } or { file: path }'],
    ['null', 'must be text in quotes, { env: NAME } or { file: path }'],
    ['12', 'must be text in quotes, { env: NAME } or { file: path }'],
    ['"c2hvcnQ="', 'must be 32 bytes in base64; "sts-sidecar keys generate" makes one'],
    [`"${tokenKey.slice(0, -1)}"`, 'must be 32 bytes in base64; "sts-sidecar keys generate" makes one'],
    [`"${tokenKey}="`, 'must be 32 bytes in base64; "sts-sidecar keys generate" makes one'],
    [`"${tokenKey.slice(0, -2)}d="`, 'must be 32 bytes in base64; "sts-sidecar keys generate" makes one'],
  ])('rejects the token key %s', (source, message) => {
    const world = { variables: { EMPTY: '' }, files: { big: 'x'.repeat(70_000) } };
    const [problem, ...others] = problemsOf(tokensFrom(source), world);
    expect(others).toEqual([]);
    expect(problem).toContain(`tokens.keys[0].secret: ${message}`);
  });

  it('takes an access key id from the environment without a warning', () => {
    const backend = validSections['backend']?.replace('STOREKEY', '{ env: STORE_ID }');
    const { settings, warnings } = load(configuration({ backend }), { variables: { STORE_ID: 'from-env' } });
    expect(settings.backend.credentials.accessKeyId).toBe('from-env');
    expect(warnings).toEqual([]);
  });

  it("takes an access key id of Swift's tempauth", () => {
    const backend = validSections['backend']?.replace('STOREKEY', 'test:tester');
    const { settings } = load(configuration({ backend }));
    expect(settings.backend.credentials.accessKeyId).toBe('test:tester');
  });

  it('rejects an access key id that does not fit into a credential scope', () => {
    const backend = validSections['backend']?.replace('STOREKEY', 'STORE/KEY');
    expect(problemWith({ backend })).toMatch(/^backend\.credentials\.accessKeyId: must be 3 to 128/);
  });
});

describe('parts that contradict each other', () => {
  it('rejects sealing with a key that does not exist', () => {
    const tokens = 'tokens: { sealWith: k2026b, keys: [ { id: k2026a, secret: { env: TOKEN_KEY } } ] }';
    expect(problemWith({ tokens })).toBe(
      'tokens.sealWith: no key has the id "k2026b" (did you mean "k2026a"?)',
    );
  });

  it('rejects two keys of one id and an empty key ring', () => {
    const key = '{ id: k1, secret: { env: TOKEN_KEY } }';
    expect(problemWith({ tokens: `tokens: { sealWith: k1, keys: [ ${key}, ${key} ] }` })).toBe(
      'tokens.keys[1].id: repeats the id of another key',
    );
    expect(problemWith({ tokens: 'tokens: { sealWith: k1, keys: [] }' })).toBe(
      'tokens.keys: must hold at least one key',
    );
  });

  it('rejects one port for both listeners', () => {
    expect(problemWith({ section: 'admin: { listen: 127.0.0.1:9000 }' })).toBe(
      'admin.listen: must not have the port of server.listen',
    );
  });

  it('accepts a port chosen by the system for both listeners', () => {
    const section = 'server: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }';
    expect(parse(configuration({ section })).ok).toBe(true);
  });

  it.each([
    ['127.0.0.1:9001', 'http://127.0.0.1:9001'],
    ['127.0.0.1:9001', 'http://localhost:9001'],
    ['0.0.0.0:9001', 'http://127.0.0.1:9001'],
    ['"[::]:9001"', 'http://[::1]:9001'],
    ['"[::1]:9001"', 'http://localhost:9001'],
    ['store.internal:80', 'http://STORE.internal'],
    ['store.internal:443', 'https://store.internal'],
    ['0.0.0.0:9001', 'http://0.0.0.0:9001'],
  ])('rejects forwarding from %s to itself at %s', (listen, endpoint) => {
    const backend = validSections['backend']?.replace('http://127.0.0.1:9001', endpoint);
    expect(problemWith({ backend, section: `server: { listen: ${listen} }` })).toBe(
      'backend.endpoint: is server.listen: the sidecar would forward to itself',
    );
  });

  it('rejects forwarding to the admin listener', () => {
    expect(problemWith({ section: 'admin: { listen: 0.0.0.0:9001 }' })).toBe(
      'backend.endpoint: is admin.listen: the sidecar would forward to itself',
    );
  });

  it('accepts a store on another host with the same port', () => {
    const backend = validSections['backend']?.replace('http://127.0.0.1:9001', 'http://10.0.0.9:9000');
    expect(parse(configuration({ backend })).ok).toBe(true);
  });
});
