import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testCaFile } from '../support/identity-provider.ts';
import { configuration, load, parse, problemsOf } from './samples.ts';

const oidc = 'kind: oidc, name: a, issuer: "https://login.example.com", clientIds: [app]';
const cluster = 'kind: kubernetes, name: c, issuer: "https://10.99.0.1:6443", audiences: [sts-sidecar]';

const withProviders = (...providers: string[]): string =>
  configuration({
    directory: `directory:\n  identityProviders:\n${providers.map((one) => `    - { ${one} }`).join('\n')}`,
  });

/** Problems without their place. */
const problems = (...providers: string[]): string[] =>
  problemsOf(withProviders(...providers)).map((line) => line.replace(/^\S+ /, ''));

describe('an identity provider', () => {
  it('is read with its defaults', () => {
    expect(load(withProviders(oidc, cluster)).settings.identityProviders).toEqual([
      {
        kind: 'oidc',
        name: 'a',
        issuer: 'https://login.example.com',
        clientIds: ['app'],
        acceptAzp: false,
        anyAzp: false,
        userInfo: false,
      },
      {
        kind: 'kubernetes',
        name: 'c',
        issuer: 'https://10.99.0.1:6443',
        audiences: ['sts-sidecar'],
        tokenReview: false,
      },
    ]);
  });

  it.each([`${cluster}, apiServer: {}`, `${cluster}, tokenReview: true`])(
    'finds the API server of its pod: %s',
    (provider) => {
      expect(load(withProviders(provider)).settings.identityProviders[0]).toMatchObject({
        apiServer: {
          url: 'https://kubernetes.default.svc',
          caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
          tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
        },
      });
    },
  );

  it('is absent by default', () => {
    expect(load(configuration()).settings.identityProviders).toEqual([]);
  });

  it('is reported with its place', () => {
    expect(problemsOf(withProviders(oidc.replace('app', '')))).toEqual([
      'sidecar.yaml:11:78 directory.identityProviders[0].clientIds: must not be empty: nothing would be accepted',
    ]);
  });

  it.each([
    [oidc.replace('[app]', '[]'), 'clientIds: must not be empty: nothing would be accepted'],
    [oidc.replace(', clientIds: [app]', ''), 'clientIds: is required'],
    [oidc.replace('[app]', '[""]'), 'clientIds[0]: must be 1 to 255 printable characters without spaces'],
    [oidc.replace('name: a', 'name: "a b"'), 'name: must be 1 to 64 letters, digits, "_", "." or "-"'],
    [
      oidc.replace('https:', 'http:'),
      'issuer: must be https; to allow plain http, list "http://login.example.com" in outbound.allowHttp',
    ],
    [
      oidc.replace('https://login.example.com', 'login.example.com'),
      'issuer: must be an http or https URL in lower case up to its path, without user, query or fragment',
    ],
    [
      oidc.replace('.com', '.com?x=1'),
      'issuer: must be an http or https URL in lower case up to its path, without user, query or fragment',
    ],
    [
      oidc.replace('login', 'Login'),
      'issuer: must be an http or https URL in lower case up to its path, without user, query or fragment',
    ],
    [
      oidc.replace('login.example.com', 'aws'),
      'issuer: would be the prefix of condition keys of another service',
    ],
    [`${oidc}, userInfo: "yes"`, 'userInfo: must be true or false'],
    [`${oidc}, audiences: [x]`, 'audiences: unknown key'],
    [`${cluster}, clientIds: [x]`, 'clientIds: unknown key'],
    [oidc.replace('oidc', 'ldap'), 'kind: must be one of "oidc", "kubernetes", "saml", "custom-token"'],
    [oidc.replace('kind: oidc, ', ''), 'kind: is required'],
    [cluster.replace('[sts-sidecar]', '[]'), 'audiences: must not be empty: nothing would be accepted'],
    [`${cluster}, apiServer: { tokenFile: token }`, 'apiServer.tokenFile: must be an absolute path'],
    [
      `${cluster}, apiServer: { url: "http://10.0.0.1" }`,
      'apiServer.url: must be https; to allow plain http, list "http://10.0.0.1" in outbound.allowHttp',
    ],
  ])('is refused: %s', (provider, problem) => {
    expect(problems(provider)).toEqual([`directory.identityProviders[0].${problem}`]);
  });

  it.each([
    'https://10.99.0.1:6443',
    'kubernetes',
    'https://kubernetes.default.svc',
    'https://kubernetes.default.svc.cluster.local',
    'https://kubernetes.default.svc/',
  ])('never has the API server’s own audience %s', (audience) => {
    expect(problems(cluster.replace('[sts-sidecar]', `[ok, "${audience}"]`))).toEqual([
      "directory.identityProviders[0].audiences[1]: must not be the API server's own audience: every pod's default token has it",
    ]);
  });

  it('shares no pair of issuer and client id, no name and no issuer under another scheme', () => {
    expect(
      problems(
        oidc,
        oidc.replace('name: a', 'name: A'),
        oidc.replace('name: a', 'name: b').replace('[app]', '[x, app]'),
      ),
    ).toEqual([
      'directory.identityProviders[1].name: repeats the name of another identity provider',
      'directory.identityProviders[1].clientIds[0]: repeats a value: one issuer and client id belong to one provider',
      'directory.identityProviders[2].clientIds[1]: repeats a value: one issuer and client id belong to one provider',
    ]);
    const local = oidc.replace('login.example.com', '127.0.0.1:1');
    expect(problems(local, local.replace('name: a', 'name: b').replace('https', 'http'))).toEqual([
      'directory.identityProviders[1].issuer: differs from another issuer in its scheme only',
    ]);
  });

  it('may share an issuer with other client ids', () => {
    const second = oidc.replace('name: a', 'name: b').replace('[app]', '[other]');
    expect(load(withProviders(oidc, second)).settings.identityProviders).toHaveLength(2);
  });

  it('may be reached over plain http on loopback and where outbound allows it', () => {
    const plain = oidc.replace('https:', 'http:');
    const allowed = `${withProviders(plain)}\noutbound: { allowHttp: ["http://login.example.com"] }`;
    expect(load(allowed).settings.outbound.allowHttp).toEqual(['http://login.example.com']);
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
      expect(parse(withProviders(plain.replace('login.example.com', host))).ok).toBe(true);
    }
    for (const host of ['127.example.com', 'localhost.example.com', '128.0.0.1']) {
      expect(parse(withProviders(plain.replace('login.example.com', host))).ok).toBe(false);
    }
  });

  it('causes a warning when a trust policy names it and the configuration lacks it', () => {
    const trust = (provider: string): string => `directory:
  identityProviders: [{ ${oidc} }]
  roles:
    - name: pod
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${provider}" }, Action: "sts:AssumeRoleWithWebIdentity" }] }`;
    const arn = 'arn:aws:iam::123456789012:oidc-provider/';
    expect(load(configuration({ directory: trust(`${arn}login.example.com`) })).warnings).toEqual([]);
    for (const wrong of [`${arn}other.example.com`, `${arn}login.example.com/`]) {
      const { warnings } = load(configuration({ directory: trust(wrong) }));
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(
        `directory.roles[0].trustPolicy.Statement[0].Principal: warning: no identity provider is configured as "${wrong}"`,
      );
    }
  });
});

describe('outbound', () => {
  const outbound = (text: string): string => `${configuration()}\noutbound: { ${text} }`;
  const ca = readFileSync(testCaFile, 'utf8');
  const server = readFileSync(testCaFile.replace('ca.pem', 'server.pem'), 'utf8');

  it('has defaults', () => {
    expect(load(configuration()).settings.outbound).toEqual({ allowHttp: [], timeoutSeconds: 5 });
  });

  it('reads the certificates of an authority, and nothing else of their file', () => {
    const files = { 'ca.crt': `a comment\n${ca}${ca}` };
    const { caPem } = load(outbound('caFile: ca.crt'), { files }).settings.outbound;
    expect(caPem?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(caPem).not.toContain('comment');
  });

  it.each([
    ['', 'must hold certificates in PEM form'],
    ['nonsense', 'must hold certificates in PEM form'],
    [server, 'must hold certificates in PEM form'],
    [ca.replace(/\n./, '\n!'), 'must hold certificates in PEM form'],
  ])('refuses a file without an authority (%#)', (content, message) => {
    const [problem = ''] = problemsOf(outbound('caFile: ca.crt'), { files: { 'ca.crt': content } });
    expect(problem).toContain(`outbound.caFile: the file "ca.crt" ${message}`);
  });

  it.each([
    ['caFile: missing.crt', 'caFile: the file "missing.crt" cannot be read: ENOENT'],
    ['caFile: ""', 'caFile: must be the path of a file'],
    ['allowHttp: ["https://a.example.com"]', 'allowHttp[0]: must be an http URL'],
    ['allowHttp: ["http://a.example.com/path"]', 'allowHttp[0]: must be an http or https URL of scheme'],
    ['timeoutSeconds: 0', 'timeoutSeconds: must be a whole number from 1 to 60'],
    ['timeoutSeconds: 61', 'timeoutSeconds: must be a whole number from 1 to 60'],
    ['timeout: 5', 'timeout: unknown key'],
  ])('refuses %s', (text, message) => {
    expect(problemsOf(outbound(text))[0]).toContain(`outbound.${message}`);
  });
});
