import {
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume } from '../support/sdk.ts';
import { alice, roleArn } from '../support/sidecar.ts';
import {
  as,
  assertion,
  clock,
  gone,
  identity,
  idp,
  plugin,
  type Refusal,
  raw,
  refusal,
  saml,
  session,
  sidecar,
  startErrorWorld,
  stopErrorWorld,
  web,
  webhook,
} from './support/error-world.ts';

beforeAll(startErrorWorld);
afterAll(stopErrorWorld);

const suffix = (text: string): string => expect.stringContaining(text) as unknown as string;
const starts = (text: string): string => expect.stringMatching(new RegExp(`^${text}`)) as unknown as string;

type Row = readonly [situation: string, call: () => Promise<Refusal>, expected: Refusal];

/** The rows of the STS contract's table about authentication. */
const rows: readonly Row[] = [
  [
    'a token of an issuer that is not configured',
    async () => refusal(web(await idp.mint({ iss: 'https://other.example.com' }))),
    [
      'InvalidIdentityToken',
      400,
      'No OpenIDConnect provider found in your account for https://other.example.com',
    ],
  ],
  [
    'a token for another audience',
    async () => refusal(web(await idp.mint({ aud: 'other' }))),
    ['InvalidIdentityToken', 400, 'Incorrect token audience'],
  ],
  [
    'a token with a bad signature',
    async () => refusal(web(`${(await idp.mint()).slice(0, -8)}AAAAAAAA`)),
    ['InvalidIdentityToken', 400, suffix('signature')],
  ],
  [
    'a provider for access tokens of social networks',
    async () => refusal(web(await idp.mint(), 'web', { ProviderId: 'www.amazon.com' })),
    ['InvalidIdentityToken', 400, suffix('ProviderId')],
  ],
  [
    'an identity provider that cannot be reached',
    async () => refusal(web(await idp.mint({ iss: gone.issuer }))),
    ['IDPCommunicationError', 400, suffix('')],
  ],
  [
    'an expired token',
    async () =>
      refusal(
        web(
          await idp.mint({
            exp: Math.floor(clock.now() / 1000) - 60,
            iat: Math.floor(clock.now() / 1000) - 600,
          }),
        ),
      ),
    [
      'ExpiredTokenException',
      400,
      starts('Token expired: current date/time \\d{10} must be before the expiration date/time \\d{10}$'),
    ],
  ],
  [
    'an assertion that was used before',
    async () => {
      const used = saml.respond();
      await assertion(used);
      return refusal(assertion(used));
    },
    ['InvalidIdentityToken', 400, suffix('used before')],
  ],
  ['a webhook that denies', () => plugin('stranger'), ['AccessDenied', 403, suffix('')]],
  [
    'a webhook that fails',
    async () => {
      webhook.answerWith((_, response) => {
        response.writeHead(500).end();
        return true;
      });
      const said = await plugin('aaa');
      webhook.answerWith(undefined);
      return said;
    },
    ['IDPCommunicationError', 400, suffix('')],
  ],
  ['a role of no webhook', () => plugin('aaa', roleArn('data')), ['AccessDenied', 403, suffix('')]],
  [
    'an unknown key',
    () => refusal(identity({ accessKeyId: 'AKIAUNKNOWNUNKNOWN11', secretAccessKey: 'x'.repeat(40) })),
    ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
  ],
  [
    'a temporary key without its token',
    async () => {
      const { accessKeyId, secretAccessKey } = await session();
      return refusal(identity({ accessKeyId, secretAccessKey }));
    },
    ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
  ],
  [
    'another session’s token',
    async () => refusal(identity({ ...(await session()), sessionToken: (await session()).sessionToken })),
    ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
  ],
  [
    'a wrong secret',
    () => refusal(identity({ ...alice, secretAccessKey: 'x'.repeat(40) })),
    ['SignatureDoesNotMatch', 403, suffix('The request signature we calculated does not match')],
  ],
  [
    'a region in which STS is disabled',
    () =>
      refusal(
        new STSClient({
          endpoint: sidecar.url,
          region: 'eu-north-1',
          credentials: alice,
          maxAttempts: 1,
        }).send(new GetCallerIdentityCommand({})),
      ),
    ['RegionDisabledException', 403, suffix('')],
  ],
  [
    'no signature',
    () => raw('?Action=GetCallerIdentity&Version=2011-06-15'),
    ['MissingAuthenticationToken', 403, 'Request is missing Authentication Token'],
  ],
  [
    'a malformed header',
    () => raw('?Action=GetCallerIdentity&Version=2011-06-15', { authorization: 'AWS4-HMAC-SHA256 nonsense' }),
    ['IncompleteSignature', 400, suffix('')],
  ],
  [
    'an unknown action',
    () => raw('?Action=Nonsense&Version=2011-06-15'),
    ['InvalidAction', 400, 'Could not find operation Nonsense for version 2011-06-15'],
  ],
  [
    'an unknown version',
    () => raw('?Action=GetCallerIdentity&Version=2010-01-01'),
    ['InvalidAction', 400, 'Could not find operation GetCallerIdentity for version 2010-01-01'],
  ],
  [
    'no action',
    () =>
      raw('', {
        authorization: `AWS4-HMAC-SHA256 Credential=${alice.accessKeyId}/20261122/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      }),
    ['MissingAction', 400, suffix('')],
  ],
  [
    'a message that was not sealed here',
    () => refusal(as(alice).send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'made-up' }))),
    ['InvalidAuthorizationMessageException', 400, suffix('')],
  ],
  [
    'a key that reveals no account',
    () => refusal(as(alice).send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIA0000000000000000' }))),
    ['ValidationError', 400, suffix('')],
  ],
];

describe('what is refused before the caller is known, through an SDK', () => {
  it.each(rows)('%s', async (_, call, expected) => {
    expect(await call()).toEqual(expected);
  });

  it.each([
    [
      -901_000,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/,
    ],
    [
      901_000,
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 15 min\.\)$/,
    ],
  ])('a clock that is %i ms wrong', async (systemClockOffset, message) => {
    const client = new STSClient({
      endpoint: sidecar.url,
      region: 'us-east-1',
      credentials: alice,
      maxAttempts: 1,
      systemClockOffset,
    });
    const said = await refusal(client.send(new GetCallerIdentityCommand({})));
    expect(said).toEqual(['SignatureDoesNotMatch', 403, expect.stringMatching(message)]);
  });

  it('an expired session', async () => {
    const keys = await assume(sidecar.url, alice, 'data', { DurationSeconds: 900 }, clock);
    clock.advance(900_000);
    expect(await refusal(identity(keys))).toEqual([
      'ExpiredToken',
      403,
      'The security token included in the request is expired',
    ]);
  });
});
