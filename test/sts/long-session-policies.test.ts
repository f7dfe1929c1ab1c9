import { describe, expect, it } from 'vitest';
import { call, policyText, scope, sessionOf } from './support/scoped-world.ts';
import { document, keyOf, type Outcome, policyArn } from './support/sts-fixture.ts';

/** Of 2,162 characters, most of which are indentation: as a catalog writes it that prints JSON for people. */
const pretty = JSON.stringify(
  document(
    ...['orders', 'customers', 'returns'].map((table) => ({
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      Resource: [`arn:aws:s3:::lake/sales/${table}/data/*`, `arn:aws:s3:::lake/sales/${table}/metadata/*`],
      Condition: { StringLike: { 'aws:userid': [`*: ${table} \\" "`] } },
    })),
  ),
  null,
  6,
).padEnd(2162, '\n');
const compact = JSON.stringify(JSON.parse(pretty));

const assume = (form: Readonly<Record<string, string>>): Promise<Outcome> =>
  call(
    'AssumeRole',
    { RoleArn: 'arn:aws:iam:::role/open', RoleSessionName: 'catalog', ...form },
    keyOf('alice'),
  );
const textOf = ({ message }: Outcome): string => message.replaceAll('&apos;', "'");

describe('a session policy that is too long only because of its white space', () => {
  it('has 2,162 characters here, and far fewer without indentation', () => {
    expect(pretty).toHaveLength(2162);
    expect(compact.length).toBeLessThan(1200);
  });

  it('is refused by AssumeRole, which says that white space counts', async () => {
    const refused = await assume({ Policy: pretty });
    expect([refused.code, refused.response.status, refused.message]).toEqual([
      'PackedPolicyTooLarge',
      400,
      `The session policies take 2162 characters, 114 more than the 2048 allowed: the inline policy 2162, the policy ARNs 0. White space counts: without it the inline policy takes ${compact.length} characters.`,
    ]);
    expect((await assume({ Policy: compact })).code).toBe('');
  });

  it.each([
    [
      'GetFederationToken',
      (Policy: string) => call('GetFederationToken', { Name: 'catalog', Policy }, keyOf('alice')),
    ],
    ['GetScopedCredentials', async (Policy: string) => scope({ Policy }, await sessionOf('worker'))],
  ])('is refused by %s, whose parameter has a maximum, with the same sentence', async (_, send) => {
    const refused = await send(pretty);
    expect([refused.code, refused.response.status]).toEqual(['ValidationError', 400]);
    expect(textOf(refused)).toMatch(
      new RegExp(
        `at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048\\. White space counts: without it the inline policy takes ${compact.length} characters\\.$`,
      ),
    );
    expect((await send(compact)).code).toBe('');
  });

  it('is told nothing of white space where leaving it out would not do', async () => {
    const long = policyText(
      document({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${' '.repeat(2048)}` }),
    );
    const refused = await assume({ Policy: long });
    expect(refused.code).toBe('PackedPolicyTooLarge');
    expect(refused.message).not.toContain('White space');
    const federated = await call('GetFederationToken', { Name: 'catalog', Policy: long }, keyOf('alice'));
    expect(textOf(federated)).toMatch(/less than or equal to 2048$/);
  });

  it('is told so together with policy ARNs, which take their share', async () => {
    const arn = policyArn('S3Only');
    const room = 2048 - arn.length;
    const text = policyText(document({ Effect: 'Allow', Action: '*', Resource: '*' }));
    const refused = await assume({ Policy: text.padEnd(room + 1), 'PolicyArns.member.1.arn': arn });
    expect(refused.message).toContain(`without it the inline policy takes ${text.length} characters`);
    const filled = policyText(
      document({ Effect: 'Allow', Action: '*', Resource: '*'.padStart(room - text.length + 2, 'a') }),
    );
    expect(filled).toHaveLength(room + 1);
    const full = await assume({ Policy: filled, 'PolicyArns.member.1.arn': arn });
    expect(full.message).toMatch(new RegExp(`the policy ARNs ${arn.length}\\.$`));
  });

  it('may be no JSON at all', async () => {
    const refused = await assume({ Policy: `"${'\\'.padEnd(3000)}` });
    expect([refused.code, refused.message.includes('White space')]).toEqual(['PackedPolicyTooLarge', false]);
    expect((await assume({ Policy: `{\\${' '.repeat(3000)}` })).message).toContain('takes 2 characters');
  });
});
