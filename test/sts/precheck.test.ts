import { describe, expect, it } from 'vitest';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import type { StsDependencies, StsFacts } from '../../src/sts/handle.ts';
import { precheckCall } from '../../src/sts/handle.ts';
import { testNowMs } from '../support/raw-requests.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  type Arrival,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  keyOf,
  type SendOptions,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const dependencies = dependenciesOf(
  buildWorld({
    users: { alice: { inline: [assumePolicy('*')] } },
    roles: { data: { trust: trust(userArn('alice')) } },
  }),
);
const stranger = { accessKeyId: 'AKIASTRANGERXXXXXXXX', secretAccessKey: 'x'.repeat(40) };
const identity = { Action: 'GetCallerIdentity', Version: version };

const session = credentialsIn(
  await serve(await arrive(assumeRoleForm('data', { DurationSeconds: '900' }), keyOf('alice')), dependencies),
);

/** What the head alone shows: nothing, or why the request is refused. */
async function precheck({ raw }: Arrival, of: StsDependencies = dependencies): Promise<string> {
  try {
    await precheckCall(raw, of, { add: () => undefined });
    return 'nothing';
  } catch (error) {
    if (error instanceof AuthenticationFault) return error.reason;
    throw error;
  }
}

/** A call whose action stands in the query and whose body is still to come. */
const inQuery = (credentials: TestCredentials | undefined, options: SendOptions = {}): Promise<Arrival> =>
  arrive({}, credentials, { query: identity, body: 'Further=form', ...options });

describe('the head of a signed action', () => {
  it.each<[string, string, () => Promise<Arrival>]>([
    ['no signature', 'no_credentials', () => inQuery(undefined)],
    ['an unknown key', 'unknown_access_key', () => inQuery(stranger)],
    ['a malformed token', 'invalid_token', () => inQuery({ ...session, sessionToken: 'a.b.c.d.e' })],
    ['the token of another key', 'invalid_token', () => inQuery({ ...session, ...stranger })],
    ['a token beside a long-term key', 'invalid_token', () => inQuery({ ...session, ...keyOf('alice') })],
    [
      'an expired session',
      'expired_token',
      () => inQuery(session, { signedAtMs: testNowMs + 900_000, arrivesAtMs: testNowMs + 900_000 }),
    ],
    ['a wrong clock', 'clock_skew', () => inQuery(keyOf('alice'), { arrivesAtMs: testNowMs + 900_001 })],
    ['another service', 'malformed_authorization', () => inQuery(keyOf('alice'), { service: 's3' })],
    [
      'no Signature V4',
      'unsupported_authorization',
      () => inQuery(undefined, { headers: { authorization: 'Bearer x' } }),
    ],
    [
      'a payload that is not signed',
      'payload_hash_mismatch',
      () => inQuery(keyOf('alice'), { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }),
    ],
    [
      'a payload in chunks',
      'streaming_not_allowed',
      () =>
        inQuery(keyOf('alice'), {
          headers: { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
        }),
    ],
  ])('with %s is refused: %s', async (_, reason, make) => {
    const arrival = await make();
    expect(await precheck(arrival)).toBe(reason);
    // The service itself gives the same answer once the body has arrived.
    const { error } = await serve(arrival, dependencies);
    expect(error?.authenticationReason).toBe(reason);
  });

  it('is refused for a region that is not allowed or disabled', async () => {
    const arrival = await inQuery(keyOf('alice'));
    const { authentication } = dependencies;
    const elsewhere = { ...authentication, allowedRegions: new Set(['eu-west-1']) };
    expect(await precheck(arrival, { ...dependencies, authentication: elsewhere })).toBe(
      'region_not_allowed',
    );
    const disabled = { ...authentication, disabledStsRegions: new Set(['us-east-1']) };
    expect(await precheck(arrival, { ...dependencies, authentication: disabled })).toBe('region_not_allowed');
  });

  it('says which operation it is, for the record of a refused request', async () => {
    const facts: StsFacts[] = [];
    const { raw } = await inQuery(stranger);
    const checked = precheckCall(raw, dependencies, { add: (added) => facts.push(added) });
    await expect(checked).rejects.toThrow(AuthenticationFault);
    expect(facts).toEqual([{ operation: 'GetCallerIdentity' }]);
  });

  it('says which role is asked for, for the record of a refused request', async () => {
    const facts: StsFacts[] = [];
    const { raw } = await arrive({}, stranger, { query: assumeRoleForm('data'), body: 'Further=form' });
    const checked = precheckCall(raw, dependencies, { add: (added) => facts.push(added) });
    await expect(checked).rejects.toThrow(AuthenticationFault);
    const { RoleArn: roleArn, RoleSessionName: sessionName } = assumeRoleForm('data');
    expect(facts).toEqual([{ operation: 'AssumeRole', roleArn, sessionName }]);
  });

  it.each<[string, () => Promise<Arrival>]>([
    ['a long-term key', () => inQuery(keyOf('alice'))],
    ['a session', () => inQuery(session)],
    // Only the signature shows this, and it covers the body.
    ['a wrong secret', () => inQuery({ ...keyOf('alice'), secretAccessKey: 'wrong' })],
  ])('with %s waits for its body', async (_, make) => {
    expect(await precheck(await make())).toBe('nothing');
  });
});

describe('a head that does not name a signed action', () => {
  const stray: SendOptions['headers'] = { authorization: 'Bearer of-another-service' };
  it.each<[string, SendOptions]>([
    ['with the action in its body', { query: {} }],
    ['with an unsigned action', { query: { ...identity, Action: 'AssumeRoleWithWebIdentity' } }],
    ['with an unknown action', { query: { ...identity, Action: 'GetCalleridentity' } }],
    ['with another version', { query: { ...identity, Version: '2010-01-01' } }],
    ['without a version', { query: { Action: 'GetCallerIdentity' } }],
    ['of another method', { method: 'PUT' }],
  ])('%s is not judged', async (_, options) => {
    expect(await precheck(await inQuery(stranger, options))).toBe('nothing');
    expect(await precheck(await inQuery(undefined, { headers: stray, ...options }))).toBe('nothing');
  });

  it('is left to the service when it names the action twice', async () => {
    const arrival = await inQuery(undefined);
    const parameters = [...arrival.raw.parameters, ...arrival.raw.parameters];
    expect(await precheck({ ...arrival, raw: { ...arrival.raw, parameters } })).toBe('nothing');
  });
});
