import { describe, expect, it } from 'vitest';
import { sealSession } from '../../src/tokens/seal.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  all,
  assume,
  call,
  claimsIn,
  dependencies,
  may,
  policyText,
  scope,
  sessionOf,
} from './support/scoped-world.ts';
import { assumePolicy, credentialsIn, document, keyOf, roleArn } from './support/sts-fixture.ts';

describe('what a scoped session may call', () => {
  const scopedTo = async (policy: object, role = 'worker'): Promise<TestCredentials> =>
    credentialsIn(await scope({ Policy: policyText(policy) }, await sessionOf(role)));

  it('assumes a role only where each scope-down policy allows it', async () => {
    const onlyS3 = await scopedTo(may('s3:*'));
    for (const role of ['open', 'by-role', 'by-session']) {
      expect((await assume(role, {}, await sessionOf('worker'))).code).toBe('');
      const outcome = await assume(role, {}, onlyS3);
      expect(outcome.code).toBe('AccessDenied');
      expect(outcome.message).toContain(
        'because no scope-down policy allows the sts:AssumeRole action (layer 1)',
      );
    }
    const onlyOpen = await scopedTo(assumePolicy(roleArn('open')));
    expect((await assume('open', {}, onlyOpen)).code).toBe('');
    expect((await assume('by-session', {}, onlyOpen)).code).toBe('AccessDenied');
    const both = credentialsIn(await scope({ Policy: policyText(may('s3:*')) }, onlyOpen));
    expect((await assume('open', {}, both)).message).toContain('(layer 2)');
  });

  it('may not be allowed by its own policies what a Deny of a layer refuses', async () => {
    const refusing = document(
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: 'sts:AssumeRole', Resource: roleArn('by-session') },
    );
    const outcome = await assume('by-session', {}, await scopedTo(refusing));
    expect(outcome.message).toContain('with an explicit deny in a scope-down policy (layer 1)');
  });

  it('sets a source identity and tags only where each layer allows it', async () => {
    const onlyAssume = await scopedTo(assumePolicy('*'));
    expect((await assume('worker', { SourceIdentity: 'ann' }, onlyAssume)).code).toBe('AccessDenied');
    const tag = { 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': 'b' };
    expect((await assume('worker', tag, onlyAssume)).code).toBe('AccessDenied');
    expect((await assume('worker', tag, await scopedTo(may('sts:*')))).code).toBe('');
  });

  it('gets no session token and no federation token, and says who it is whatever the policy says', async () => {
    const nothing = await scopedTo(document({ Effect: 'Deny', Action: '*', Resource: '*' }));
    for (const action of ['GetSessionToken', 'GetFederationToken']) {
      expect((await call(action, { Name: 'guest' }, nothing)).code).toBe('AccessDenied');
    }
    expect((await call('GetCallerIdentity', {}, nothing)).code).toBe('');
  });

  it('decodes messages and asks for the account of a key only where each layer allows it', async () => {
    const scoped = await scopedTo(may('s3:*'));
    const key = { AccessKeyId: keyOf('alice').accessKeyId };
    expect((await call('GetAccessKeyInfo', key, await sessionOf('worker'))).code).toBe('');
    expect((await call('GetAccessKeyInfo', key, scoped)).message).toContain('no scope-down policy allows');
    const decode = await call('DecodeAuthorizationMessage', { EncodedMessage: 'x' }, scoped);
    expect(decode.message).toContain('no scope-down policy allows');
  });

  it('of a user assumes roles as the user, and of root and federated users assumes none', async () => {
    const own = credentialsIn(await call('GetSessionToken', {}, keyOf('alice')));
    const scoped = credentialsIn(await scope({ Policy: all }, own));
    expect((await assume('open', {}, scoped)).code).toBe('');
    const root = credentialsIn(await call('GetSessionToken', {}, keyOf('root')));
    expect((await assume('open', {}, credentialsIn(await scope({ Policy: all }, root)))).code).toBe(
      'AccessDenied',
    );
    const guest = credentialsIn(
      await call('GetFederationToken', { Name: 'guest', Policy: all }, keyOf('alice')),
    );
    expect((await assume('open', {}, credentialsIn(await scope({ Policy: all }, guest)))).code).toBe(
      'AccessDenied',
    );
  });
});

describe('a scope-down policy that cannot be compiled any more', () => {
  it('denies everything', async () => {
    const session = await sessionOf('worker');
    const broken = { ...claimsIn(session), scopeDown: ['{"Statement":'] };
    const token = { ...session, sessionToken: sealSession(broken, dependencies.keyRing) };
    const outcome = await assume('open', {}, token);
    expect(outcome.message).toContain('with an explicit deny in a scope-down policy');
  });
});

describe.each(['AssumeRoot', 'GetDelegatedAccessToken', 'GetWebIdentityToken'])('%s', (action) => {
  it('is an invalid action, with a sentence that says why', async () => {
    const outcome = await call(action, {}, await sessionOf('worker'));
    expect([outcome.code, outcome.response.status]).toEqual(['InvalidAction', 400]);
    expect(outcome.message).toMatch(new RegExp(`^${action} is not supported: .*\\.$`));
    expect(outcome.facts.operation).toBeUndefined();
  });
});
