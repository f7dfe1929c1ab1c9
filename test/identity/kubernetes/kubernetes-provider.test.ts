import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesProviderSettings } from '../../../src/identity/kubernetes/settings.ts';
import { serviceAccountClaims, testCaFile, testCaPem } from '../../support/identity-provider.ts';
import { describeProvider } from '../provider-contract.ts';
import { type ProviderCase, type ProviderWorld, startProviderWorld, verdict } from '../provider-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'own-token-1\n');
afterAll(() => rmSync(folder, { recursive: true }));

const claims = serviceAccountClaims('apps', 'web');
const anonymous = (issuer: string): KubernetesProviderSettings => ({
  kind: 'kubernetes',
  name: 'test',
  issuer,
  audiences: ['sts-sidecar'],
  tokenReview: false,
});

describeProvider({
  kind: 'kubernetes, keys of the issuer',
  claims,
  settings: anonymous,
  issuer: { tls: true },
  caPem: testCaPem,
});

const viaApiServer = (tokenReview: boolean): ProviderCase => ({
  kind: 'kubernetes, keys of the API server',
  claims,
  issuer: { tls: true, jwksPath: '/openid/v1/jwks' },
  settings: (issuer) => ({
    ...anonymous(issuer),
    kind: 'kubernetes',
    audiences: ['sts-sidecar'],
    tokenReview,
    apiServer: { url: issuer, caFile: testCaFile, tokenFile },
  }),
});

describeProvider(viaApiServer(false));

describe('the keys of the API server', () => {
  it('are fetched with the sidecar’s own token, which is read again each time', async () => {
    const world = await startProviderWorld(viaApiServer(false));
    const seen: (string | undefined)[] = [];
    world.idp.answerWith((request) => {
      seen.push(request.headers.authorization);
      return false;
    });
    expect(await verdict(world, await world.mint())).toBe('accepted');
    writeFileSync(tokenFile, 'own-token-2');
    world.clock.advance(700_000);
    expect(await verdict(world, await world.mint())).toBe('accepted');
    await world.stop();
    expect(seen).toEqual(['Bearer own-token-1', 'Bearer own-token-2']);
    expect(world.idp.requests).toEqual(['/openid/v1/jwks', '/openid/v1/jwks']);
  });

  it('cannot be fetched without the sidecar’s own files', async () => {
    const missing = join(folder, 'missing');
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    for (const files of [{ tokenFile: missing }, { tokenFile: empty }, { caFile: missing }]) {
      const world = await startProviderWorld({
        ...viaApiServer(false),
        settings: (issuer) => ({
          kind: 'kubernetes',
          name: 'test',
          issuer,
          audiences: ['sts-sidecar'],
          tokenReview: false,
          apiServer: { url: issuer, caFile: testCaFile, tokenFile, ...files },
        }),
      });
      expect(await verdict(world, await world.mint())).toBe('provider_unreachable');
      await world.stop();
      expect(world.idp.requests).toEqual([]);
    }
  });
});

describe('a token that does not belong to a service account', () => {
  it('is refused', async () => {
    const world = await startProviderWorld(viaApiServer(false));
    for (const sub of ['admin', 'system:node:n1', 'system:serviceaccounts:apps:web']) {
      expect(await verdict(world, await world.mint({ sub }))).toBe('bad_claims');
    }
    await world.stop();
  });
});

describe('a token review', () => {
  let world: ProviderWorld;
  let asked: unknown[];
  beforeEach(async () => {
    world = await startProviderWorld(viaApiServer(true));
    asked = [];
  });
  afterEach(() => world.stop());

  const username = 'system:serviceaccount:apps:web';

  /** Answers reviews with a status, everything else as usual. */
  const review = (status: unknown, code = 201): void =>
    world.idp.answerWith((request: IncomingMessage, response: ServerResponse) => {
      if (request.url !== '/apis/authentication.k8s.io/v1/tokenreviews') return false;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push({
          method: request.method,
          authorization: request.headers.authorization,
          body: JSON.parse(Buffer.concat(chunks).toString()),
        });
        response.writeHead(code, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ kind: 'TokenReview', status }));
      });
      return true;
    });

  it('is asked about the provider’s audience and accepts a user that the API server knows', async () => {
    review({ authenticated: true, audiences: ['sts-sidecar'], user: { username } });
    const token = await world.mint();
    expect(await verdict(world, token)).toBe('accepted');
    expect(asked).toEqual([
      {
        method: 'POST',
        authorization: 'Bearer own-token-2',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: ['sts-sidecar'] },
        },
      },
    ]);
  });

  it.each<[string, unknown]>([
    ['says no', { authenticated: false, error: 'pod was deleted' }],
    ['says no and names a user', { authenticated: false, audiences: ['sts-sidecar'], user: { username } }],
    ['says yes in a string', { authenticated: 'true', audiences: ['sts-sidecar'], user: { username } }],
    ['says yes for no audience', { authenticated: true, user: { username } }],
    ['says yes for another audience', { authenticated: true, audiences: ['api'], user: { username } }],
    ['names another user', { authenticated: true, audiences: ['sts-sidecar'], user: { username: 'x' } }],
    ['names no user', { authenticated: true, audiences: ['sts-sidecar'] }],
    ['says nothing', undefined],
  ])('that %s is a rejection', async (_, status) => {
    review(status);
    expect(await verdict(world, await world.mint())).toBe('provider_rejected');
  });

  it.each([401, 403, 404, 500, 503])('that is answered %d says nothing about the token', async (code) => {
    review({}, code);
    expect(await verdict(world, await world.mint())).toBe('provider_unreachable');
  });

  it('is not asked for about tokens that are refused anyway', async () => {
    review({ authenticated: true, audiences: ['sts-sidecar'], user: { username } });
    const good = await world.mint();
    for (const token of [
      await world.mint({ aud: 'other' }),
      await world.mint({ exp: 1 }),
      `${good.slice(0, -8)}AAAAAAAA`,
    ]) {
      expect(await verdict(world, token)).not.toBe('accepted');
    }
    expect(asked).toEqual([]);
  });

  it('never reaches the observer with the token', async () => {
    review({}, 500);
    const token = await world.mint();
    await verdict(world, token);
    expect(JSON.stringify(world.requests)).not.toContain(token.slice(0, 30));
    expect(world.requests.at(-1)).toMatchObject({ operation: 'token_review', outcome: 'server_error' });
  });
});
