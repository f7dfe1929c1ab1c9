import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { elementText } from './support/sts-fixture.ts';

const clock = new TestClock();
const idp = createSamlIdp({
  roles: ['analyst', 'others', 'long'].map((name) => samlRole(name)),
  now: () => clock.now(),
});
let sidecar: TestSidecar;

beforeAll(async () => {
  const files = { 'company.xml': idp.metadata, 'other.xml': idp.metadata.replaceAll('idp.', 'other.') };
  sidecar = await startSidecar({ clock, directory: samlDirectory(), files });
});
afterAll(() => sidecar.stop());

/** `allowed`, or code and message of the refusal. */
async function redeem(assertion: string, changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(sidecar.url, {
    method: 'POST',
    body: new URLSearchParams({
      Action: 'AssumeRoleWithSAML',
      Version: '2011-06-15',
      RoleArn: roleArn('analyst'),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion: assertion,
      ...changes,
    }),
  });
  const body = await response.text();
  if (response.status === 200) return 'allowed';
  return `${elementText(body, 'Code')}: ${elementText(body, 'Message')}`;
}

const replayed = 'InvalidIdentityToken: Invalid SAML response: the assertion was used before';

describe('an assertion', () => {
  it.each<[string, Record<string, string>, string]>([
    ['for a role that it does not offer', { RoleArn: roleArn('plain') }, 'AccessDenied'],
    ['for a role that does not trust its provider', { RoleArn: roleArn('others') }, 'AccessDenied'],
    ['for longer than the role allows', { DurationSeconds: '7200' }, 'ValidationError'],
    ['with a malformed session policy', { Policy: '{' }, 'MalformedPolicyDocument'],
    [
      'with a session policy that does not exist',
      { 'PolicyArns.member.1.arn': 'arn:aws:iam::123456789012:policy/Missing' },
      'ValidationError',
    ],
  ])('that was refused %s is valid for one other request only', async (_, changes, code) => {
    const assertion = idp.respond();
    for (let time = 0; time < 2; time += 1) {
      expect(await redeem(assertion, changes)).toMatch(new RegExp(`^${code}: `));
    }
    expect(await redeem(assertion)).toBe('allowed');
    expect(await redeem(assertion)).toBe(replayed);
    expect(await redeem(assertion, { DurationSeconds: '900' })).toBe(replayed);
  });

  it('whose session was too large with a session policy is valid for a request without one', async () => {
    // Four bytes and one character each: 40 such tags are within the limits of tags.
    const letter = '\u{10400}';
    const tags = Array.from({ length: 40 }, (_, index): [string, string[]] => [
      `PrincipalTag:${10 + index}${letter.repeat(126)}`,
      [letter.repeat(256)],
    ]);
    const assertion = idp.respond({ attributes: Object.fromEntries(tags) });
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: `arn:aws:s3:::data/${'ÿ'.repeat(1900)}` }],
    });
    expect(await redeem(assertion, { Policy })).toMatch(/^PackedPolicyTooLarge: /);
    expect(await redeem(assertion)).toBe('allowed');
    expect(await redeem(assertion)).toBe(replayed);
  });

  it('may offer a role by an ARN without an account, as requests may name it', async () => {
    const RoleArn = 'arn:aws:iam:::role/analyst';
    const attributes = { Role: [`${RoleArn},${samlProviderArn('company')}`] };
    expect(await redeem(idp.respond({ attributes }), { RoleArn })).toBe('allowed');
    expect(await redeem(idp.respond({ attributes }))).toBe('allowed');
    expect(await redeem(idp.respond({ attributes }), { RoleArn: roleArn('plain') })).toMatch(/^AccessDenied/);
  });

  it('gives credentials to one of many requests at once, also beside those that are refused', async () => {
    const assertion = idp.respond();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        redeem(assertion, index % 4 === 0 ? { RoleArn: roleArn('others') } : {}),
      ),
    );
    expect(answers.filter((answer) => answer === 'allowed')).toHaveLength(1);
    expect(answers.filter((answer) => answer === replayed)).toHaveLength(14);
  });
});
