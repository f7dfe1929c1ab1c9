import type { Server } from 'node:http';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcome } from '../support/sdk.ts';
import { roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { bareIssuer, webIdentityDirectory } from '../support/web-identity.ts';

const clientSecret = 'secret-of-the-client-which-is-long-enough-for-HS256';
const clock = new TestClock();
let issuer = '';
let keys: JWK[];
let server: Server;
let port = 0;
let sidecar: TestSidecar;

/** A whole OpenID Connect provider whose access tokens are JWTs for the audience `sts-sidecar`. */
async function serveProvider(jwks: readonly JWK[]): Promise<void> {
  const provider = new Provider(issuer === '' ? 'http://127.0.0.1' : issuer, {
    jwks: { keys: [...jwks] },
    clients: [
      {
        client_id: 'app',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'use',
          audience: resource.replace('urn:', ''),
          accessTokenFormat: 'jwt',
        }),
      },
    },
    extraTokenClaims: () => ({ sub: 'app' }),
  });
  server = await new Promise<Server>((resolve) => {
    const started = provider.listen(port, '127.0.0.1', () => resolve(started));
  });
}

async function stopProvider(): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function signingKey(algorithm: string, kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: algorithm };
}

/** A token by the client credentials grant (RFC 6749, section 4.4; RFC 8707). */
async function obtainToken(resource = 'urn:sts-sidecar'): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`app:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'use' }),
  });
  const body: unknown = await response.json();
  const token = typeof body === 'object' && body !== null && 'access_token' in body ? body.access_token : '';
  if (typeof token !== 'string' || token === '') throw new Error(`no token: ${JSON.stringify(body)}`);
  return token;
}

function assume(token: string): Promise<string> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: roleArn('pod'),
    RoleSessionName: 'app',
    WebIdentityToken: token,
  });
  return outcome(client.send(command));
}

beforeAll(async () => {
  keys = [await signingKey('RS256', 'first')];
  // The port is known only after listening, and the issuer has it in its name.
  await serveProvider(keys);
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  await stopProvider();
  issuer = `http://127.0.0.1:${port}`;
  await serveProvider(keys);
  const condition = `{ StringEquals: { "${bareIssuer(issuer)}:sub": app, "${bareIssuer(issuer)}:client_id": app } }`;
  sidecar = await startSidecar({ clock, directory: webIdentityDirectory({ issuer, condition }) });
});
afterAll(async () => {
  await sidecar.stop();
  await stopProvider();
});

it('accepts a token of a real OpenID Connect provider, and none for another audience', async () => {
  expect(await assume(await obtainToken())).toBe('allowed');
  expect(await assume(await obtainToken('urn:other'))).toBe('InvalidIdentityTokenException 400');
});

it('keeps accepting tokens after the provider restarted with a new key', async () => {
  const old = await obtainToken();
  await stopProvider();
  expect(await assume(old)).toBe('allowed');
  await serveProvider([await signingKey('RS256', 'second'), ...keys]);
  expect(await assume(await obtainToken())).toBe('allowed');
  expect(await assume(old)).toBe('allowed');
});
