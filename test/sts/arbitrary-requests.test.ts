import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arrive,
  assumePolicy,
  buildWorld,
  dependenciesOf,
  keyOf,
  roleArn,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const dependencies = dependenciesOf(
  buildWorld({
    users: { alice: { inline: [assumePolicy('*')] } },
    roles: { closed: { trust: trust(userArn('somebody-else')) } },
  }),
);

/** Codes that arbitrary input may be answered with: a 500 is not among them. */
const typedCodes: ReadonlySet<string> = new Set([
  'AccessDenied',
  'InvalidAction',
  'InvalidParameterCombination',
  'InvalidParameterValue',
  'InvalidQueryParameter',
  'MalformedQueryString',
  'MissingAction',
  'RequestEntityTooLarge',
  'ValidationError',
]);

const names = fc.oneof(
  fc.constantFrom(
    ...['RoleArn', 'RoleSessionName', 'Policy', 'DurationSeconds', 'ExternalId', 'Tags', 'Tags.member.1.Key'],
    ...['PolicyArns.member.1.arn', 'PolicyArns.member.2.arn', 'PolicyArns', 'TransitiveTagKeys.member.1'],
    ...['__proto__', 'constructor', 'SerialNumber', 'TokenCode', 'SourceIdentity', 'Version', 'Action'],
  ),
  fc.string({ maxLength: 20 }),
);
const values = fc.oneof(
  fc.constantFrom(
    roleArn('closed'),
    roleArn('gone'),
    'arn:aws:iam:::role/x',
    'tester',
    '900',
    '',
    '{}',
    '[]',
    '*',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.json({ maxDepth: 2 }),
);

describe('arbitrary requests', () => {
  it('cause typed errors only, and never credentials', async () => {
    const parameters = fc.dictionary(names, values, { maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(parameters, fc.boolean(), async (sent, isComplete) => {
        const base = {
          RoleArn: roleArn('closed'),
          RoleSessionName: 'tester',
          ...sent,
          ...(isComplete ? { Action: 'AssumeRole', Version: version } : {}),
        };
        const form = Object.fromEntries(
          Object.entries(base).map(([name, value]) => [name, value.toWellFormed()]),
        );
        const { code, response } = await serve(await arrive(form, keyOf('alice')), dependencies);
        expect(typedCodes).toContain(code);
        expect(response.status).toBeLessThan(500);
        expect(response.body).not.toContain('SecretAccessKey');
      }),
      { numRuns: 300 },
    );
  });

  it('cause typed errors only when the body is any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { raw } = await arrive({}, undefined, { body: '' });
        const { code } = await serve({ raw, body: bytes }, dependencies);
        expect(typedCodes).toContain(code);
      }),
      { numRuns: 300 },
    );
  });
});
