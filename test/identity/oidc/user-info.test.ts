import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FederatedIdentity } from '../../../src/identity/federated-identity.ts';
import { IdentityFault } from '../../../src/identity/identity-fault.ts';
import {
  flood,
  hangUp,
  type Listener,
  redirect,
  silent,
  status,
  text,
  trickle,
} from '../misbehaving-issuer.ts';
import { type ProviderWorld, startProviderWorld } from '../provider-world.ts';

const tagsClaim = 'https://aws.amazon.com/tags';
const sourceIdentityClaim = 'https://aws.amazon.com/source_identity';
let world: ProviderWorld;
let answer: Listener;
let asked: (string | undefined)[];
let endpoint: string | undefined;

beforeEach(async () => {
  world = await startProviderWorld({
    kind: 'oidc',
    claims: {},
    settings: (issuer) => ({
      kind: 'oidc',
      name: 'test',
      issuer,
      clientIds: ['sts-sidecar'],
      acceptAzp: false,
      anyAzp: false,
      policyClaim: 'policy',
      userInfo: true,
    }),
  });
  const { issuer } = world.idp;
  asked = [];
  endpoint = `${issuer}/userinfo`;
  answer = user({});
  world.idp.answerWith((request, response) => {
    if (request.url === '/.well-known/openid-configuration') {
      const document = { issuer, jwks_uri: `${issuer}/jwks`, userinfo_endpoint: endpoint };
      return text(JSON.stringify(document))(request, response);
    }
    if (request.url !== '/userinfo') return request.url !== '/jwks' && answer(request, response);
    asked.push(request.headers.authorization);
    return answer(request, response);
  });
});
afterEach(() => world.stop());

/** Answers with the claims of subject-1; `undefined` leaves one out. */
function user(claims: Readonly<Record<string, unknown>>): Listener {
  return text(JSON.stringify({ sub: 'subject-1', policy: 'Read', ...claims }));
}

async function identify(
  claims: Readonly<Record<string, unknown>> = {},
  accessToken: string | undefined = 'access-token',
): Promise<FederatedIdentity> {
  return world.providers.identify(await world.mint(claims), world.clock.now(), { accessToken });
}

async function reason(...parameters: Parameters<typeof identify>): Promise<string> {
  try {
    await identify(...parameters);
    return 'accepted';
  } catch (error) {
    if (error instanceof IdentityFault) return error.reason;
    throw error;
  }
}

describe('UserInfo', () => {
  it('is asked with the access token and adds to the claims of the token', async () => {
    answer = user({ team: 'blue' });
    const identity = await identify();
    expect(identity.policyNames).toEqual(['Read']);
    expect(identity.claims.get('team')).toEqual(['blue']);
    expect(asked).toEqual(['Bearer access-token']);
  });

  it('never contradicts the token', async () => {
    answer = user({ policy: 'Admin', team: 'red' });
    const identity = await identify({ policy: 'Read', team: 'blue' });
    expect(identity.policyNames).toEqual(['Read']);
    expect(identity.claims.get('team')).toEqual(['blue']);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['26,000 claims', Object.fromEntries(Array.from({ length: 26_000 }, (_, at) => [`c${at}`, '']))],
    [
      'thousands of claims in an object of a long name',
      { ['p'.repeat(131_072)]: Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`c${at}`, ''])) },
    ],
  ])('may not answer with %s', async (_, claims) => {
    answer = user(claims);
    expect(await reason()).toBe('bad_answer');
  });

  it('cannot supply claims about the token or the sign-in', async () => {
    answer = user({
      aud: 'x',
      azp: 'x',
      amr: ['mfa'],
      acr: 'high',
      iss: 'x',
      exp: 1,
      jti: 'x',
      auth_time: 1,
      AMR: ['mfa'],
      Acr: 'high',
      AUD: 'x',
    });
    const { claims } = await identify();
    expect([...claims.keys()].sort()).toEqual(['aud', 'iss', 'policy', 'sub']);
    expect(claims.get('aud')).toEqual(['sts-sidecar']);
    expect(claims.get('iss')).toEqual([world.idp.issuer]);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['another subject', { sub: 'subject-2' }],
    ['another spelling of the subject', { sub: 'Subject-1' }],
    ['no subject', { sub: undefined }],
    ['a list with the subject', { sub: ['subject-1'] }],
    ['a claim of the token in other case', { Policy: 'Admin' }],
  ])('with %s is not believed', async (_, claims) => {
    answer = user(claims);
    expect(await reason({ policy: 'Read' })).toBe('bad_claims');
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['tags', { [tagsClaim]: { principal_tags: { team: ['admin'] }, transitive_tag_keys: ['team'] } }],
    ['flattened tags', { [`${tagsClaim}/principal_tags/team`]: 'admin' }],
    ['malformed tags', { [tagsClaim]: 'x' }],
    ['a source identity', { [sourceIdentityClaim]: 'ceo' }],
  ])('cannot set what the session carries: %s', async (_, claims) => {
    answer = user(claims);
    const { tags, sourceIdentity, claims: keys } = await identify();
    expect([tags, sourceIdentity]).toEqual([[], undefined]);
    expect([...keys.keys()].sort()).toEqual(['aud', 'iss', 'policy', 'sub']);
  });

  it('leaves unchanged what the token itself says about the session', async () => {
    answer = user({
      [tagsClaim]: { principal_tags: { site: ['there'] } },
      [`${tagsClaim}/principal_tags/team`]: 'admin',
      [sourceIdentityClaim]: 'ceo',
    });
    const { tags, sourceIdentity } = await identify({
      [tagsClaim]: { principal_tags: { team: ['blue'] } },
      [sourceIdentityClaim]: 'alice',
    });
    expect(tags).toEqual([{ key: 'team', value: 'blue', isTransitive: false }]);
    expect(sourceIdentity).toBe('alice');
  });

  it('needs an access token', async () => {
    const asking = world.providers.identify(await world.mint(), world.clock.now());
    await expect(asking).rejects.toMatchObject({ reason: 'bad_claims' });
    await expect(asking).rejects.toThrow('WebIdentityAccessToken');
    expect(asked).toEqual([]);
  });

  it.each<[string, Listener, string]>([
    ['answers 400', status(400), 'provider_rejected'],
    ['answers 401', status(401), 'provider_rejected'],
    ['answers 403', status(403), 'provider_rejected'],
    ['redirects', redirect, 'provider_rejected'],
    ['answers 500', status(500), 'provider_unreachable'],
    ['answers 429', status(429), 'provider_unreachable'],
    ['does not answer', silent, 'provider_unreachable'],
    ['hangs up', hangUp, 'provider_unreachable'],
    ['trickles', trickle, 'provider_unreachable'],
    ['answers too much', flood, 'bad_answer'],
    ['answers a signed token', text('eyJhbGciOiJSUzI1NiJ9.e30.AA'), 'bad_answer'],
    ['answers a list', text('[{"sub":"subject-1"}]'), 'bad_answer'],
    ['repeats a key', text('{"sub":"x","sub":"subject-1"}'), 'bad_answer'],
  ])('that %s verifies no token', async (_, listener, expected) => {
    if (listener === silent || listener === trickle) {
      // The keys arrive in time, and are cached.
      expect(await reason()).toBe('accepted');
      world.limit(0.2);
    }
    answer = listener;
    expect(await reason()).toBe(expected);
    expect(world.requests.at(-1)).toMatchObject({ provider: 'test', operation: 'userinfo' });
  });

  it.each([
    undefined,
    'http://userinfo.example.com/',
    'file:///etc/passwd',
    'https://user:secret@127.0.0.1/',
  ])('is not asked at %s', async (url) => {
    endpoint = url;
    expect(await reason()).toBe('bad_answer');
    expect(asked).toEqual([]);
  });

  it('is not asked about tokens that are refused anyway', async () => {
    for (const claims of [{ aud: 'other' }, { exp: 1 }, { sub: '' }, { iss: 'https://other.example.com' }]) {
      expect(await reason(claims)).not.toBe('accepted');
    }
    expect(await reason({}, 'access-token')).toBe('accepted');
    expect(asked).toHaveLength(1);
  });

  it('never reaches the observer with the access token', async () => {
    answer = status(500);
    await reason({}, 'a-very-secret-access-token');
    expect(JSON.stringify(world.requests)).not.toContain('a-very-secret-access-token');
  });
});

describe('names of policies in a claim', () => {
  it.each<[unknown, readonly string[]]>([
    ['Read', ['Read']],
    [' Read , Write,,Read', ['Read', 'Write']],
    [
      ['Read', 'Write,List'],
      ['Read', 'Write', 'List'],
    ],
    [[], []],
    ['', []],
    [7, []],
    [{ Read: 'Write' }, []],
    [['Read', 7], []],
  ])('are read from %j', async (policy, names) => {
    answer = user({ policy: undefined });
    expect((await identify({ policy })).policyNames).toEqual(names);
  });
});
