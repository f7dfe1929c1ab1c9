import { describe, expect, it } from 'vitest';
import { SessionOpener } from '../../src/tokens/open.ts';
import { account, assume, dependencies } from './support/assume-role-world.ts';
import {
  accountId,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  elementText,
  keyOf,
  policyArn,
  roleArn,
  serve,
  trust,
  version,
} from './support/sts-fixture.ts';

describe('session policies', () => {
  const readOnly = document({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });

  const hint = `White space counts: without it the inline policy takes ${JSON.stringify(readOnly).length} characters.`;

  it('travel in the token exactly as sent', async () => {
    const text = ` ${JSON.stringify(readOnly, null, 1)}\r\n`;
    const arn = policyArn('S3Only');
    const outcome = await assume('open', keyOf('alice'), { Policy: text, 'PolicyArns.member.1.arn': arn });
    const opened = await new SessionOpener(dependencies.keyRing).open(
      credentialsIn(outcome).sessionToken ?? '',
    );
    expect(opened?.claims.policy).toBe(text);
    expect(opened?.claims.policyArns).toEqual([arn]);
    expect(Number(elementText(outcome.response.body, 'PackedPolicySize'))).toBeGreaterThan(0);
  });

  it('deny everything once a managed one was removed', async () => {
    const changes = { 'PolicyArns.member.1.arn': policyArn('AssumeAnything') };
    const hop = credentialsIn(await assume('hop', keyOf('alice'), changes));
    expect((await assume('open', hop)).code).toBe('');
    const later = buildWorld({
      roles: { open: { trust: trust(account) }, hop: { trust: trust(account), inline: [assumePolicy('*')] } },
    });
    const outcome = await serve(await arrive(assumeRoleForm('open'), hop), dependenciesOf(later));
    expect(outcome.message).toContain('with an explicit deny in a session policy');
  });

  it.each([
    ['not JSON', '{"Version":'],
    ['an array', '[]'],
    ['no statement', '{"Version":"2012-10-17"}'],
    ['a repeated key', '{"Version":"2012-10-17","Version":"2008-10-17","Statement":[]}'],
    [
      'a Principal',
      JSON.stringify(document({ Effect: 'Allow', Principal: { AWS: account }, Action: '*', Resource: '*' })),
    ],
    [
      'an unknown operator',
      JSON.stringify(
        document({ Effect: 'Allow', Action: '*', Resource: '*', Condition: { Almost: { a: 'b' } } }),
      ),
    ],
  ])('are refused when malformed: %s', async (_, text) => {
    const outcome = await assume('open', keyOf('alice'), { Policy: text });
    expect([outcome.code, outcome.response.status]).toEqual(['MalformedPolicyDocument', 400]);
    expect(outcome.message).toMatch(/^The session policy is malformed: ./);
  });

  it('are refused with the place of the fault', async () => {
    const text = JSON.stringify(document({ Effect: 'Permit', Action: '*', Resource: '*' }));
    expect((await assume('open', keyOf('alice'), { Policy: text })).message).toContain('Statement[0]');
  });

  it('may take 2,048 characters together with the ARNs, as sent, and no more', async () => {
    const arn = policyArn('S3Only');
    const padded = JSON.stringify(readOnly).padEnd(2048 - arn.length);
    const changes = { Policy: padded, 'PolicyArns.member.1.arn': arn };
    expect((await assume('open', keyOf('alice'), changes)).code).toBe('');
    const over = await assume('open', keyOf('alice'), { ...changes, Policy: `${padded} ` });
    expect([over.code, over.response.status, over.message]).toEqual([
      'PackedPolicyTooLarge',
      400,
      `The session policies take 2049 characters, 1 more than the 2048 allowed: the inline policy ${2049 - arn.length}, the policy ARNs ${arn.length}. ${hint}`,
    ]);
    const alone = await assume('open', keyOf('alice'), { Policy: JSON.stringify(readOnly).padEnd(4096) });
    expect([alone.code, alone.message]).toEqual([
      'PackedPolicyTooLarge',
      `The session policies take 4096 characters, 2048 more than the 2048 allowed: the inline policy 4096, the policy ARNs 0. ${hint}`,
    ]);
    const tag = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'blue' };
    const tagged = await assume('taggable', keyOf('alice'), {
      ...tag,
      Policy: JSON.stringify(readOnly).padEnd(4096),
    });
    expect(tagged.message).toContain('The session policies take 4096 characters');
  });

  it('may each be longer for AssumeRole only, whose model has no maximum', async () => {
    const long = JSON.stringify(readOnly).padEnd(2049);
    const call = async (form: Readonly<Record<string, string>>, isSigned: boolean) =>
      serve(await arrive(form, isSigned ? keyOf('alice') : undefined), dependencies);
    const forms: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
      [{ Action: 'GetFederationToken', Version: version, Name: 'guest' }, true],
      [
        {
          Action: 'AssumeRoleWithWebIdentity',
          Version: version,
          RoleArn: roleArn('open'),
          RoleSessionName: 'guest',
          WebIdentityToken: 'a.b.c',
        },
        false,
      ],
      [
        {
          Action: 'AssumeRoleWithSAML',
          Version: version,
          RoleArn: roleArn('open'),
          PrincipalArn: `arn:aws:iam::${accountId}:saml-provider/company`,
          SAMLAssertion: 'AAAA',
        },
        false,
      ],
    ];
    for (const [form, isSigned] of forms) {
      const { code, message } = await call({ ...form, Policy: long }, isSigned);
      expect(code).toBe('ValidationError');
      expect(message.replaceAll('&apos;', "'")).toMatch(
        /^1 validation error detected: Value '.*' at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048\. White space counts: .*$/s,
      );
    }
  });

  it('are refused when a managed one does not exist', async () => {
    const changes = { 'PolicyArns.member.1.arn': policyArn('NoSuchPolicy') };
    const outcome = await assume('open', keyOf('alice'), changes);
    expect([outcome.code, outcome.response.status]).toEqual(['ValidationError', 400]);
    expect(outcome.message).toContain(policyArn('NoSuchPolicy'));
  });

  it('show nothing about managed policies to a caller who may not assume the role', async () => {
    const changes = { 'PolicyArns.member.1.arn': policyArn('NoSuchPolicy') };
    expect((await assume('closed', keyOf('alice'), changes)).code).toBe('AccessDenied');
  });
});
