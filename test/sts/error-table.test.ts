import { randomBytes } from 'node:crypto';
import { GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume } from '../support/sdk.ts';
import { account, alice, bob, roleArn } from '../support/sidecar.ts';
import {
  as,
  assertion,
  clock,
  code,
  idp,
  type Refusal,
  refusal,
  role,
  rootKey,
  saml,
  serialNumber,
  session,
  sidecar,
  startErrorWorld,
  stopErrorWorld,
  web,
} from './support/error-world.ts';

beforeAll(startErrorWorld);
afterAll(stopErrorWorld);

/** The encoded message ends every denial of a signed request. */
const sealed = ' Encoded authorization failure message: ';
const suffix = (text: string): string => expect.stringContaining(text) as unknown as string;
const starts = (text: string): string => expect.stringMatching(new RegExp(`^${text}`)) as unknown as string;
const denied = (arn: string, name: string): string =>
  `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn(name)}`;
const aliceArn = `arn:aws:iam::${account}:user/alice`;
const bobArn = `arn:aws:iam::${account}:user/bob`;

const incompressible = (length: number): string => randomBytes(length).toString('base64').slice(0, length);
const bigTags = Array.from({ length: 50 }, (_, index) => ({
  Key: `k${index}-${incompressible(100).replaceAll('/', '-')}`,
  Value: incompressible(250),
}));
const bigPolicy = (): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${'x'.repeat(1900)}` }],
  });

type Row = readonly [situation: string, call: () => Promise<Refusal>, expected: Refusal];

/** The rows of the STS contract's table about permissions. A situation with several rows is listed several times. */
const rows: readonly Row[] = [
  [
    'denied by the identity policies',
    () => refusal(role('data', {}, bob)),
    [
      'AccessDenied',
      403,
      suffix(
        `${denied(bobArn, 'data')} because no identity-based policy allows the sts:AssumeRole action${sealed}`,
      ),
    ],
  ],
  [
    'denied by the identity policies, the role does not exist',
    () => refusal(role('missing', {}, bob)),
    [
      'AccessDenied',
      403,
      suffix(
        `${denied(bobArn, 'missing')} because no identity-based policy allows the sts:AssumeRole action`,
      ),
    ],
  ],
  [
    'denied explicitly',
    () => refusal(role('forbidden')),
    [
      'AccessDenied',
      403,
      suffix(`${denied(aliceArn, 'forbidden')} with an explicit deny in an identity-based policy`),
    ],
  ],
  [
    'denied by the trust policy',
    () => refusal(role('closed')),
    ['AccessDenied', 403, starts(`${denied(aliceArn, 'closed')}(?:${sealed}|$)`)],
  ],
  [
    'allowed by the caller’s own policies, the role does not exist',
    () => refusal(role('missing')),
    ['AccessDenied', 403, starts(`${denied(aliceArn, 'missing')}(?:${sealed}|$)`)],
  ],
  [
    'a token denied',
    async () => refusal(web(await idp.mint(), 'people')),
    ['AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
  ],
  [
    'an assertion denied',
    () => refusal(assertion(saml.respond({ attributes: {} }), 'web')),
    ['AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithSAML'],
  ],
  [
    'root assumes a role',
    () => refusal(role('data', {}, rootKey)),
    ['AccessDenied', 403, 'Roles may not be assumed by root accounts.'],
  ],
  [
    'GetSessionToken with temporary credentials',
    async () => refusal(as(await session()).send(new GetSessionTokenCommand({}))),
    ['AccessDenied', 403, 'Cannot call GetSessionToken with session credentials'],
  ],
  [
    'GetFederationToken with temporary credentials',
    async () => refusal(as(await session()).send(new GetFederationTokenCommand({ Name: 'guest' }))),
    ['AccessDenied', 403, 'Cannot call GetFederationToken with session credentials'],
  ],
  [
    'a wrong code',
    () =>
      refusal(
        as(alice).send(new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: '000000' })),
      ),
    ['AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  ],
  [
    'a reused code',
    async () => {
      const sent = new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: code() });
      await as(alice).send(sent);
      return refusal(as(alice).send(sent));
    },
    ['AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  ],
  [
    'another user’s code',
    () =>
      refusal(as(bob).send(new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: code() }))),
    ['AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  ],
  [
    'a serial number without a code',
    () => refusal(role('data', { SerialNumber: serialNumber })),
    ['AccessDenied', 403, suffix('must provide both MFA serial number and one time pass code.')],
  ],
  [
    'a malformed ARN',
    () => refusal(role('data', { RoleArn: 'arn:aws:iam::role/no-account' })),
    ['ValidationError', 400, 'arn:aws:iam::role/no-account is invalid'],
  ],
  [
    'several constraints',
    () => refusal(role('data', { RoleSessionName: 'a b', DurationSeconds: 899 })),
    [
      'ValidationError',
      400,
      starts(
        "2 validation errors detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must .+; Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900$",
      ),
    ],
  ],
  [
    'a missing parameter',
    () => refusal(role('data', { RoleSessionName: undefined })),
    [
      'ValidationError',
      400,
      "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    ],
  ],
  [
    'longer than the role allows',
    () => refusal(role('data', { DurationSeconds: 3601 })),
    [
      'ValidationError',
      400,
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
  ],
  [
    'chained for longer than an hour',
    async () => refusal(role('data', { DurationSeconds: 3601 }, await session())),
    [
      'ValidationError',
      400,
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    ],
  ],
  [
    'a transitive key that is not a tag',
    () => refusal(role('data', { Tags: [{ Key: 'team', Value: 'blue' }], TransitiveTagKeys: ['other'] })),
    ['InvalidParameterValue', 400, suffix('other')],
  ],
  [
    'a tag twice, ignoring case',
    () =>
      refusal(
        role('data', {
          Tags: [
            { Key: 'team', Value: 'a' },
            { Key: 'TEAM', Value: 'b' },
          ],
        }),
      ),
    ['InvalidParameterValue', 400, suffix('TEAM')],
  ],
  [
    'an inherited transitive tag set again',
    async () => {
      const Tags = [{ Key: 'team', Value: 'blue' }];
      const tagged = await assume(sidecar.url, alice, 'data', { Tags, TransitiveTagKeys: ['team'] }, clock);
      return refusal(role('data', { Tags }, tagged));
    },
    ['InvalidParameterValue', 400, suffix('team')],
  ],
  [
    'too many tags to pack',
    () =>
      refusal(
        role('data', { Tags: bigTags.map(({ Key, Value }) => ({ Key: Key.replaceAll('+', '-'), Value })) }),
      ),
    ['PackedPolicyTooLarge', 400, starts('Packed size of session tags consumes \\d+% of allotted space\\.$')],
  ],
  [
    'a policy and ARNs that are too long together',
    () =>
      refusal(
        role('data', {
          Policy: bigPolicy(),
          PolicyArns: Array.from({ length: 3 }, () => ({ arn: `arn:aws:iam::${account}:policy/Sts` })),
        }),
      ),
    ['PackedPolicyTooLarge', 400, suffix('')],
  ],
  [
    'a malformed policy',
    () => refusal(role('data', { Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}' })),
    ['MalformedPolicyDocument', 400, suffix('Effect')],
  ],
];

describe('a refused call of an authenticated caller, through an SDK', () => {
  it.each(rows)('%s', async (_, call, expected) => {
    expect(await call()).toEqual(expected);
  });
});
