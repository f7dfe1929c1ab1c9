import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { type Execution, execute, file, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const account = '123456789012';
const user = (name: string): string => `arn:aws:iam::${account}:user/${name}`;
const root = `arn:aws:iam::${account}:root`;
const guest = `arn:aws:sts::${account}:federated-user/guest`;
const alice = user('staff/alice');
const reader = `arn:aws:iam::${account}:role/data-reader`;
const generated = 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0';
const webhook = 'arn:minio:iam:::role/idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ';
const claims = 'arn:minio:iam:::role/claims/corporate';

const idp = createSamlIdp({ roles: [], now: () => systemClock.now() });
file('company.xml', idp.metadata);
const config = file(
  'askers.yaml',
  policyConfiguration
    .replace(
      '  users:',
      '  root: { accessKeys: [{ accessKeyId: AKIAROOTROOTROOTROOT, secretAccessKey: x-y-z-x-y-z }] }\n  users:',
    )
    .replace(
      '  identityProviders:',
      `  identityProviders:
    - { kind: oidc, name: minio, issuer: "https://minio.example.com/realms/a", clientIds: [minio-client-app], rolePolicies: [ReadData] }
    - { kind: oidc, name: corporate, issuer: "https://corp.example.com", clientIds: [one, two], claimName: policy }
    - { kind: custom-token, name: hook, url: "http://localhost:8081", authToken: abc, rolePolicies: [ReadData] }
    - { kind: saml, name: saml, metadataFile: company.xml, recipients: ["https://a.example.com", "https://b.example.com"] }`,
    ),
);
const plain = file('plain.yaml', policyConfiguration);
const readOnly = file(
  'read.json',
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}',
);

const simulate = (...words: readonly string[]): Promise<Execution> =>
  execute('policy', 'simulate', '--config', config, ...words);
const get = ['--action', 's3:GetObject', '--resource', 'arn:aws:s3:::data/a'] as const;
const assume = ['--action', 'sts:AssumeRole', '--resource', reader] as const;
const bySaml = ['--action', 'sts:AssumeRoleWithSAML', '--resource', reader] as const;
const byToken = ['--action', 'sts:AssumeRoleWithWebIdentity', '--resource', reader] as const;
const federate = ['--action', 'sts:GetFederationToken', '--resource', guest] as const;

describe('policy simulate exits 2', () => {
  it.each<[string, readonly string[], string]>([
    [
      'root without an access key',
      ['--config', plain, '--principal', root, ...get],
      'root has no access key',
    ],
    [
      'the root of another account',
      ['--principal', root.replace('1234', '4321'), ...get],
      'is not a user, role',
    ],
    [
      'a session token of a role',
      ['--principal', reader, '--session-token', ...get],
      '--session-token: needs a user or root',
    ],
    [
      'a session token of an anonymous caller',
      ['--principal', '*', '--session-token', ...get],
      '--session-token: needs a user or root',
    ],
    [
      'a second factor of a long-term key',
      ['--principal', alice, '--mfa-age', '0', ...get],
      '--mfa-age: needs the temporary credentials',
    ],
    [
      'an age below 0',
      ['--principal', alice, '--session-token', '--mfa-age', '-1', ...get],
      '--mfa-age: must be whole seconds',
    ],
    [
      'an age beyond any session',
      ['--principal', alice, '--session-token', '--mfa-age', '129601', ...get],
      '--mfa-age: must be whole seconds, from 0 to 129600',
    ],
    [
      'an age with a unit',
      ['--principal', alice, '--session-token', '--mfa-age', '5m', ...get],
      '--mfa-age: must be whole seconds',
    ],
    [
      'a session policy of GetSessionToken',
      ['--principal', alice, '--session-token', '--session-policy', readOnly, ...get],
      '--session-policy: needs the session of a role',
    ],
    [
      'a tag of GetSessionToken',
      ['--principal', alice, '--session-token', '--tag', 'a=b', ...get],
      '--tag: needs the session of a role',
    ],
    ['a federated user without its user', ['--principal', guest, ...get], '--federated-by: is required'],
    [
      'a federated user of an unknown user',
      ['--principal', guest, '--federated-by', user('staff/alcie'), ...get],
      `did you mean "${alice}"?`,
    ],
    [
      'a federated user of a role',
      ['--principal', guest, '--federated-by', reader, ...get],
      `--federated-by: "${reader}" is neither a user nor root`,
    ],
    [
      'a federated user of another account',
      ['--principal', guest.replace('1234', '4321'), '--federated-by', alice, ...get],
      '--principal: ',
    ],
    [
      'an impossible federated user',
      ['--principal', `${guest}${'x'.repeat(40)}`, '--federated-by', alice, ...get],
      'cannot be the name of a federated user',
    ],
    [
      'a user for whom another user vouches',
      ['--principal', alice, '--federated-by', alice, ...get],
      '--federated-by: needs a federated user',
    ],
    [
      'a session token of a federated user',
      ['--principal', guest, '--federated-by', alice, '--session-token', ...get],
      '--session-token: ',
    ],
    ['a claim-mode session without policies', ['--principal', claims, ...get], '--policy-name: is required'],
    [
      'a policy that does not exist',
      ['--principal', claims, '--policy-name', 'ReadDtaa', ...get],
      'did you mean "ReadData"?',
    ],
    [
      'policy names of a role',
      ['--principal', reader, '--policy-name', 'ReadData', ...get],
      '--policy-name: needs a session of the claim-mode provider',
    ],
    [
      'policy names of a provider’s role',
      ['--principal', generated, '--policy-name', 'ReadData', ...get],
      '--policy-name: ',
    ],
    ['a tag of a provider’s role', ['--principal', generated, '--tag', 'a=b', ...get], '--tag: '],
    [
      'a session policy of a webhook’s session',
      ['--principal', webhook, '--session-policy', readOnly, ...get],
      '--session-policy: ',
    ],
    ['an unknown generated role', ['--principal', `${generated}x`, ...get], 'is not a user, role'],
    ['an unknown SAML provider', ['--saml-provider', 'smal', ...bySaml], 'did you mean "saml"?'],
    [
      'an OpenID Connect provider for a SAML one',
      ['--saml-provider', 'company', ...bySaml],
      '--saml-provider: no identity provider',
    ],
    [
      'a web identity of a provider with a role of its own',
      ['--web-identity-provider', 'minio', ...byToken],
      'its users assume no role of the directory',
    ],
    [
      'a web identity of a claim-mode provider',
      ['--web-identity-provider', 'https://corp.example.com', ...byToken],
      'its users assume no role of the directory',
    ],
    [
      'a SAML provider for a web identity',
      ['--web-identity-provider', 'saml', ...bySaml],
      '--web-identity-provider: no identity provider',
    ],
    [
      'two providers',
      ['--saml-provider', 'saml', '--web-identity-provider', 'company', ...bySaml],
      'cannot be combined with a SAML provider',
    ],
    [
      'a SAML provider and a principal',
      ['--saml-provider', 'saml', '--principal', alice, ...bySaml],
      'cannot be combined with a principal',
    ],
    ['a tag of an assertion', ['--saml-provider', 'saml', '--tag', 'a=b', ...bySaml], '--tag: '],
    ['an assertion on S3', ['--saml-provider', 'saml', ...get], 'before it assumes a role'],
    ['an assertion for AssumeRole', ['--saml-provider', 'saml', ...assume], 'not by root'],
    ['a user for AssumeRoleWithSAML', ['--principal', alice, ...bySaml], 'the holder of a SAML assertion'],
    [
      'a web identity for AssumeRoleWithSAML',
      ['--web-identity-provider', 'company', ...bySaml],
      'the holder of a SAML assertion',
    ],
    ['AssumeRole by root', ['--principal', root, ...assume], '--action: sts:AssumeRole is asked by a user'],
    [
      'AssumeRole by a session of root',
      ['--principal', root, '--session-token', ...assume],
      '--action: sts:AssumeRole is asked by a user',
    ],
    [
      'AssumeRole by a federated user',
      ['--principal', guest, '--federated-by', alice, ...assume],
      '--action: sts:AssumeRole is asked by a user',
    ],
    [
      'AssumeRole of a generated role',
      ['--principal', alice, '--action', 'sts:AssumeRole', '--resource', generated],
      'there is no role "arn:minio',
    ],
    [
      'GetFederationToken by a session',
      ['--principal', alice, '--session-token', ...federate],
      'asked by a user with a long-term key or by root',
    ],
    [
      'GetFederationToken by a role',
      ['--principal', reader, ...federate],
      'asked by a user with a long-term key or by root',
    ],
    [
      'GetFederationToken about a role',
      ['--principal', alice, '--action', 'sts:GetFederationToken', '--resource', reader],
      'does not fit sts:GetFederationToken',
    ],
    [
      'GetAccessKeyInfo about a role',
      ['--principal', alice, '--action', 'sts:GetAccessKeyInfo', '--resource', reader],
      'expected *',
    ],
    [
      'GetAccessKeyInfo by a federated user',
      ['--principal', guest, '--federated-by', alice, '--action', 'sts:GetAccessKeyInfo', '--resource', '*'],
      'by root or by a session of a role',
    ],
    [
      'another source identity along a chain',
      [
        ...['--principal', reader, ...assume],
        ...['--context', 'aws:SourceIdentity=ada', '--context', 'sts:SourceIdentity=bob'],
      ],
      '--context: sts:SourceIdentity must be aws:SourceIdentity',
    ],
    [
      'a one-time code of a role',
      ['--principal', reader, ...assume, '--context', 'aws:MultiFactorAuthPresent=true'],
      'only a user with mfaDevices has',
    ],
    [
      'a one-time code of a user without a device',
      ['--principal', alice, ...assume, '--context', 'aws:MultiFactorAuthPresent=TRUE'],
      'only a user with mfaDevices has',
    ],
    [
      'an action that no policy decides',
      ['--principal', alice, '--action', 'sts:GetSessionToken', '--resource', '*'],
      'is not decided by policies',
    ],
  ])('for %s', async (_, words, message) => {
    const { code, data, prose } = await simulate(...words);
    expect([code, data]).toEqual([2, '']);
    expect(prose).toContain(message);
  });
});

describe('what only the token says', () => {
  const subject = 'minio.example.com/realms/a:sub';

  it.each<[string, readonly string[], readonly string[]]>([
    ['of a provider’s role its subject', ['--principal', generated], ['minio.example.com/realms/a:sub']],
    [
      'of a claim-mode session its audience too',
      ['--principal', claims, '--policy-name', 'ReadData'],
      ['corp.example.com:sub', 'corp.example.com:aud'],
    ],
  ])('is asked for: %s', async (_, who, keys) => {
    const [issuer = ''] = (keys[0] ?? '').split(':');
    const told = ['--context', 'aws:SourceIp=10.0.0.1'];
    const policy = (key: string): string =>
      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"${key}":"x"}}}}`;
    for (const name of ['sub', 'aud']) {
      const path = file(`${name}.json`, policy(`${issuer}:${name}`));
      const { code, prose } = await simulate(...who, ...told, '--session-policy', path, ...get);
      const isAsked = keys.includes(`${issuer}:${name}`);
      expect(code).toBe(isAsked ? 2 : 1);
      if (isAsked) expect(prose).toContain(`--absent ${issuer}:${name} that there is none`);
      const given = ['--context', `${issuer}:${name}=x`];
      expect((await simulate(...who, ...told, ...given, '--session-policy', path, ...get)).code).toBe(0);
    }
  });

  it('is not asked for when no policy depends on it', async () => {
    expect((await simulate('--principal', generated, ...get)).code).toBe(0);
    expect((await simulate('--principal', generated, ...get, '--context', `${subject}=a`)).prose).toContain(
      'no policy involved refers to minio.example.com/realms/a:sub',
    );
  });

  it('does not exist for a webhook’s session', async () => {
    const { code, data } = await simulate('--principal', webhook, ...get);
    expect(code).toBe(0);
    expect(data).toContain(':assumed-role/idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ/policy-simulate');
  });

  it.each(['saml', idp.entityId, `arn:aws:iam::${account}:saml-provider/saml`])(
    'of an assertion is its subject, and its recipient where there are several: provider %s',
    async (provider) => {
      const condition =
        '"saml:sub": a, "saml:aud": "https://b.example.com", "saml:iss": "https://idp.example.com/metadata"';
      const trusting = file(
        'saml.yaml',
        `${policyConfiguration.replace(
          '    - name: ci\n',
          `    - name: analyst
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { Federated: "arn:aws:iam::${account}:saml-provider/saml" }, Action: "sts:AssumeRoleWithSAML", Condition: { StringEquals: { ${condition} } } } }
    - name: ci
`,
        )}    - { kind: saml, name: saml, metadataFile: company.xml, recipients: ["https://a.example.com", "https://b.example.com"] }\n`,
      );
      const role = [
        '--resource',
        `arn:aws:iam::${account}:role/analyst`,
        '--action',
        'sts:AssumeRoleWithSAML',
      ];
      const ask = (...more: readonly string[]): Promise<Execution> =>
        execute('policy', 'simulate', '--config', trusting, '--saml-provider', provider, ...role, ...more);
      const { code, prose } = await ask();
      expect(code).toBe(2);
      expect(prose).toContain('depends on saml:aud');
      expect(prose).toContain('depends on saml:sub:');
      const told = ['--context', 'saml:sub=a', '--context'];
      expect((await ask(...told, 'saml:aud=https://b.example.com')).code).toBe(0);
      expect((await ask(...told, 'saml:aud=https://a.example.com')).code).toBe(1);
    },
  );
});
