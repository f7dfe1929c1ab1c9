import { describe, expect, it } from 'vitest';
import { configuration, load, problemsOf, validSections } from './samples.ts';

const oidc = 'kind: oidc, name: a, issuer: "https://login.example.com", clientIds: [minio-client-app]';
const webhook = 'kind: custom-token, name: plugin, url: "http://localhost:8081", rolePolicies: [ReadData]';

const withProviders = (...providers: string[]): string =>
  configuration({
    directory: `${validSections['directory']}
    - { name: idmp-taken, trustPolicy: { Statement: { Effect: Allow, Principal: { AWS: "123456789012" }, Action: "sts:AssumeRole" } } }
  identityProviders:
${providers.map((one) => `    - { ${one} }`).join('\n')}`,
  });

/** Problems without their place. */
const problems = (...providers: string[]): string[] =>
  problemsOf(withProviders(...providers)).map((line) =>
    line.replace(/^\S+ directory\.identityProviders/, ''),
  );

const settingsOf = (provider: string): unknown => load(withProviders(provider)).settings.identityProviders[0];
const rolesOf = (...providers: string[]): unknown =>
  load(withProviders(...providers)).directory.providerRoles;

describe('a webhook', () => {
  it('is read with its defaults, and with its secret from the place that holds it', () => {
    expect(settingsOf(webhook)).toEqual({
      kind: 'custom-token',
      name: 'plugin',
      url: 'http://localhost:8081',
      rolePolicies: ['ReadData'],
    });
    const full = load(withProviders(`${webhook}, authToken: { env: TOKEN }, roleId: main-1`), {
      variables: { TOKEN: 'Bearer x y' },
    });
    const [provider] = full.settings.identityProviders;
    expect(provider).toMatchObject({ kind: 'custom-token', roleId: 'main-1' });
    expect(Reflect.get(provider ?? {}, 'authToken').reveal()).toBe('Bearer x y');
    expect(full.warnings).toEqual([]);
  });

  it('warns of a secret in the file', () => {
    const { warnings } = load(withProviders(`${webhook}, authToken: "Bearer x"`));
    expect(warnings).toEqual([expect.stringMatching(/authToken: warning: a literal secret/)]);
  });

  it('has a role of its own, by its URL or its configured id', () => {
    expect(rolesOf(webhook)).toEqual([
      {
        mode: 'custom-token',
        provider: 'plugin',
        name: 'idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ',
        policies: ['ReadData'],
        uniqueName: 'custom-token\nplugin\nhttp://localhost:8081',
      },
    ]);
    expect(rolesOf(`${webhook}, roleId: main`)).toMatchObject([{ name: 'idmp-main' }]);
  });

  const url = (text: string): string => webhook.replace('http://localhost:8081', text);
  const badUrl = '[0].url: must be an http or https URL without user, fragment or a parameter "token"';

  it.each([
    [webhook.replace(', rolePolicies: [ReadData]', ''), '[0].rolePolicies: is required'],
    [webhook.replace('[ReadData]', '[]'), '[0].rolePolicies: must not be empty: nothing would be allowed'],
    [
      webhook.replace('[ReadData]', '[ReadDatum]'),
      '[0].rolePolicies[0]: no managed policy is named "ReadDatum" (did you mean "ReadData"?)',
    ],
    [webhook.replace('[ReadData]', '[ReadData, ReadData]'), '[0].rolePolicies[1]: repeats "ReadData"'],
    [webhook.replace(/url: "[^"]+", /, ''), '[0].url: is required'],
    [url('localhost:8081'), badUrl],
    [url('ftp://localhost'), badUrl],
    [url('http://user:secret@localhost'), badUrl],
    [url('http://localhost/#x'), badUrl],
    [url('http://localhost/a b'), badUrl],
    [url('http://localhost/?token=x'), badUrl],
    [url('http://localhost/?a=1&token'), badUrl],
    [
      url('http://webhook.example.com/'),
      '[0].url: must be https; to allow plain http, list "http://webhook.example.com" in outbound.allowHttp',
    ],
    [`${webhook}, authToken: { env: MISSING }`, '[0].authToken: the environment variable MISSING is not set'],
    [
      `${webhook}, authToken: "Bearer x\\r\\nHost: y"`,
      '[0].authToken: must be 1 to 8192 printable characters without spaces around them',
    ],
    [`${webhook}, roleId: "a/b"`, '[0].roleId: must be 1 to 59 letters, digits, "_" or "-"'],
    [`${webhook}, roleId: ""`, '[0].roleId: must be 1 to 59 letters, digits, "_" or "-"'],
    [`${webhook}, issuer: "https://x.example.com"`, '[0].issuer: unknown key'],
    [`${webhook}, roleId: taken`, '[0]: has a role named "idmp-taken", and so has another role'],
  ])('is refused: %s', (provider, problem) => {
    expect(problems(provider)).toEqual([problem]);
  });

  it('shares its role with no other', () => {
    expect(problems(webhook, webhook.replace('plugin', 'other'))).toEqual([
      '[1]: has a role named "idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ", and so has another role',
    ]);
  });
});

describe('role policies', () => {
  it('make a role by the client id', () => {
    expect(settingsOf(`${oidc}, rolePolicies: [ReadData], userInfo: true`)).toEqual({
      kind: 'oidc',
      name: 'a',
      issuer: 'https://login.example.com',
      clientIds: ['minio-client-app'],
      acceptAzp: false,
      anyAzp: false,
      rolePolicies: ['ReadData'],
      userInfo: true,
    });
    expect(rolesOf(`${oidc}, rolePolicies: [ReadData]`)).toEqual([
      {
        mode: 'role-policy',
        provider: 'a',
        name: 'nOybJqMNzNmroqEKq5D0EUsRZw0',
        policies: ['ReadData'],
        uniqueName: 'oidc\na\nhttps://login.example.com\nminio-client-app',
      },
    ]);
    expect(rolesOf(oidc)).toEqual([]);
  });

  it.each([
    [`${oidc}, rolePolicies: []`, '[0].rolePolicies: must not be empty: nothing would be allowed'],
    [`${oidc}, rolePolicies: [Unknown]`, '[0].rolePolicies[0]: no managed policy is named "Unknown"'],
    [
      `${oidc.replace('[minio-client-app]', '[one, two]')}, rolePolicies: [ReadData]`,
      '[0].clientIds: must hold one client id where there are rolePolicies',
    ],
    [
      `${oidc}, rolePolicies: [ReadData], claimName: p`,
      '[0].claimName: cannot be combined with rolePolicies',
    ],
    [
      `${oidc}, rolePolicies: [ReadData], claimPrefix: p`,
      '[0].claimPrefix: cannot be combined with rolePolicies',
    ],
    [
      'kind: kubernetes, name: c, issuer: "https://10.99.0.1:6443", audiences: [x], rolePolicies: [ReadData]',
      '[0].rolePolicies: unknown key',
    ],
  ])('are refused: %s', (provider, problem) => {
    expect(problems(provider)).toEqual([problem]);
  });

  it('of one client id at two issuers would be one role', () => {
    const other = oidc.replace('name: a', 'name: b').replace('login', 'other');
    expect(problems(`${oidc}, rolePolicies: [ReadData]`, `${other}, rolePolicies: [ReadData]`)).toEqual([
      '[1]: has a role named "nOybJqMNzNmroqEKq5D0EUsRZw0", and so has another role',
    ]);
  });
});

describe('policies in a claim', () => {
  it.each([
    ['claimName: groups', 'groups'],
    ['claimPrefix: ""', 'policy'],
    ['claimPrefix: "https://example.com/"', 'https://example.com/policy'],
    ['claimName: p, claimPrefix: "x-"', 'x-p'],
  ])('have the name %s', (setting, policyClaim) => {
    expect(settingsOf(`${oidc}, ${setting}`)).toMatchObject({ policyClaim });
    expect(rolesOf(`${oidc}, ${setting}`)).toMatchObject([{ mode: 'claim', name: 'a', policies: [] }]);
  });

  it.each([
    [`${oidc}, claimName: ""`, '[0].claimName: must not be empty'],
    [`${oidc}, claimName: "a b"`, '[0].claimName: must be at most 255 printable characters without spaces'],
    [`${oidc}, claimPrefix: 7`, '[0].claimPrefix: must be text (numbers in quotes)'],
    [
      `${oidc.replace('name: a', 'name: Data-Reader')}, claimName: p`,
      '[0]: has a role named "Data-Reader", and so has another role',
    ],
  ])('are refused: %s', (provider, problem) => {
    expect(problems(provider)).toEqual([problem]);
  });

  it('are of one provider at most', () => {
    const second = oidc.replace('name: a', 'name: b').replace('minio-client-app', 'other');
    expect(problems(`${oidc}, claimName: p`, `${second}, claimName: q`)).toEqual([
      '[1]: is the second provider with claimName or claimPrefix: one at most may have them',
    ]);
    expect(rolesOf(`${oidc}, claimName: p`, `${second}, rolePolicies: [ReadData]`, webhook)).toHaveLength(3);
  });
});
