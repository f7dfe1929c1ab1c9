import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const token = 'control-token-of-this-test';
let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
    variables: { CONTROL: token },
  });
});
afterAll(() => sidecar.stop());

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly message: string;
}

const authorized = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

function ask({ method = 'GET', path = '/revocations', headers = authorized, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = request(`${sidecar.controlUrl}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { error = {} } = JSON.parse(Buffer.concat(chunks).toString()) as {
          error?: Record<string, string>;
        };
        const { code = '', message = '' } = error;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, code, message });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}
const post = (body: string | Buffer, headers = {}): Promise<Answer> =>
  ask({ method: 'POST', body, headers: { ...authorized, ...headers } });

describe('the control listener', () => {
  it.each([
    ['none', {}],
    ['an empty one', { authorization: '' }],
    ['the scheme alone', { authorization: 'Bearer' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['another token', { authorization: 'Bearer control-token-of-this-tesT' }],
    ['a longer token', { authorization: `Bearer ${token}x` }],
    ['a shorter token', { authorization: `Bearer ${token.slice(0, -1)}` }],
    ['two tokens', { authorization: `Bearer ${token} ${token}` }],
    ['two headers', { authorization: [`Bearer ${token}`, `Bearer ${token}`] }],
    ['the token alone', { authorization: token }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` }],
    ['the token elsewhere', { 'x-token': token }],
  ])('refuses a stranger whose authorization is %s, whatever the request', async (_, headers) => {
    for (const path of [
      '/revocations',
      '/revocations/abc',
      '/nothing',
      `/revocations?access_token=${token}`,
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        const answer = await ask({ method, path, headers });
        expect([answer.status, answer.code]).toEqual([401, 'Unauthorized']);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
    }
  });

  it('refuses the credentials of a session', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await assume(sidecar.url, alice, 'admin');
    for (const shown of [accessKeyId, secretAccessKey, sessionToken]) {
      expect((await ask({ headers: { authorization: `Bearer ${shown}` } })).status).toBe(401);
    }
  });

  it('accepts the scheme in any case (RFC 9110, 11.1)', async () => {
    expect((await ask({ headers: { authorization: `bEARER ${token}` } })).status).toBe(200);
  });

  it.each([
    '/',
    '/revocations/',
    '/revocations?x=1',
    '/Revocations',
    '/revocations/a/b',
    '/revocations/%2e',
    '/metrics',
  ])('has nothing at %s', async (path) => {
    expect([(await ask({ path })).status, (await ask({ path, method: 'DELETE' })).code]).toEqual([
      404,
      'NotFound',
    ]);
  });

  it.each([
    ['PUT', '/revocations'],
    ['DELETE', '/revocations'],
    ['PATCH', '/revocations'],
    ['GET', '/revocations/abc'],
    ['POST', '/revocations/abc'],
  ])('does not know %s %s', async (method, path) => {
    expect((await ask({ method, path })).status).toBe(405);
  });

  it('says that no revocation has the id', async () => {
    const answer = await ask({ method: 'DELETE', path: '/revocations/abc' });
    expect([answer.status, answer.code]).toEqual([404, 'NoSuchRevocation']);
  });

  it.each([undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'does not read a body of the type %s',
    async (type) => {
      const { 'content-type': _, ...headers } = authorized;
      const sent = type === undefined ? headers : { ...headers, 'content-type': type };
      const answer = await ask({ method: 'POST', body: '{"role":"data"}', headers: sent });
      expect([answer.status, answer.code]).toEqual([415, 'UnsupportedMediaType']);
    },
  );

  it.each([
    ['nothing', ''],
    ['text', 'role=data'],
    ['half of it', '{"role":"da'],
    ['a key twice', '{"role":"data","role":"reader"}'],
    ['a deep one', `${'['.repeat(100)}${']'.repeat(100)}`],
  ])('refuses %s', async (_, body) => {
    const answer = await post(body);
    expect([answer.status, answer.code]).toEqual([400, 'InvalidJson']);
  });

  it('refuses a body over its limit, and closes the connection', async () => {
    const answer = await post(`{"role":"${'x'.repeat(20_000)}"}`);
    expect([answer.status, answer.code]).toEqual([413, 'BodyTooLarge']);
  });

  const deletedRole = ': a deleted one is named by its whole ARN, arn:aws:iam::123456789012:role/…';
  const deletedUser = ': a deleted one is named by its whole ARN, arn:aws:iam::123456789012:user/…';
  it.each([
    ['null', 'must be a mapping'],
    ['[]', 'must be a mapping'],
    ['"data"', 'must be a mapping'],
    ['{}', 'must hold one of sessionId, roleSession, role, user, issuer, or issuedBefore'],
    [
      '{"rol":"data"}',
      'rol: unknown key; must hold one of sessionId, roleSession, role, user, issuer, or issuedBefore',
    ],
    [
      '{"__proto__":{"role":"data"}}',
      '__proto__: unknown key; must hold one of sessionId, roleSession, role, user, issuer, or issuedBefore',
    ],
    ['{"role":"data","user":"alice"}', 'user: cannot be combined with role: a revocation names one'],
    ['{"role":["data"]}', 'role: must be text of 1 to 2048 characters'],
    ['{"role":""}', 'role: must be text of 1 to 2048 characters'],
    ['{"role":null}', 'role: must be text of 1 to 2048 characters'],
    ['{"role":"dta"}', `role: no role has this name${deletedRole}`],
    ['{"role":"arn:aws:iam::999999999999:role/data"}', `role: no role has this name${deletedRole}`],
    ['{"role":"data/x"}', `role: no role has this name${deletedRole}`],
    ['{"role":"arn:aws:iam::123456789012:role/"}', `role: no role has this name${deletedRole}`],
    ['{"role":"arn:aws:iam::123456789012:role/a b"}', `role: no role has this name${deletedRole}`],
    ['{"role":"arn:aws:iam::123456789012:user/gone"}', `role: no role has this name${deletedRole}`],
    ['{"user":"arn:minio:iam:::user/gone"}', `user: no user has this name${deletedUser}`],
    ['{"roleSession":"data"}', 'roleSession: must be RoleName/SessionName'],
    ['{"roleSession":"arn:aws:iam::123456789012:role/data"}', 'roleSession: must be RoleName/SessionName'],
    ['{"user":"arn:aws:iam::123456789012:role/data"}', `user: no user has this name${deletedUser}`],
    ['{"roleSession":"data/"}', 'roleSession: must be RoleName/SessionName'],
    ['{"roleSession":"/one"}', 'roleSession: must be RoleName/SessionName'],
    ['{"roleSession":"nobody/one"}', `roleSession: no role has this name${deletedRole}`],
    ['{"user":"nobody"}', `user: no user has this name${deletedUser}`],
    ['{"user":"root"}', `user: no user has this name${deletedUser}`],
    ['{"issuer":"nobody"}', 'issuer: no identity provider has this name'],
    ['{"issuedBefore":"yesterday"}', 'issuedBefore: must be a time in UTC, for example 2026-11-22T00:00:00Z'],
    ['{"issuedBefore":1790000000}', 'issuedBefore: must be a time in UTC, for example 2026-11-22T00:00:00Z'],
    [
      '{"issuedBefore":"2026-02-30T00:00:00Z"}',
      'issuedBefore: must be a time in UTC, for example 2026-11-22T00:00:00Z',
    ],
    [
      '{"issuedBefore":"2026-02-20T00:00:00+01:00"}',
      'issuedBefore: must be a time in UTC, for example 2026-11-22T00:00:00Z',
    ],
    [
      '{"role":"data","issuedBefore":null}',
      'issuedBefore: must be a time in UTC, for example 2026-11-22T00:00:00Z',
    ],
  ])('refuses %s and says what is wrong', async (body, message) => {
    const answer = await post(body);
    expect([answer.status, answer.code, answer.message]).toEqual([400, 'InvalidRevocation', message]);
  });

  it('keeps nothing of a refused request', async () => {
    const response = await fetch(`${sidecar.controlUrl}/revocations`, { headers: authorized });
    expect(await response.json()).toEqual({ revocations: [] });
  });

  it('serves operators while strangers hold connections', async () => {
    const { port } = new URL(sidecar.controlUrl);
    const strangers = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port: Number(port) }));
    for (const stranger of strangers) stranger.on('error', () => undefined);
    await Promise.all(strangers.map((stranger) => once(stranger, 'connect')));
    const operator = connect({ host: '127.0.0.1', port: Number(port) });
    operator.write(
      `GET /revocations HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    const [answer] = (await once(operator, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200/);
    for (const stranger of strangers) stranger.destroy();
  });

  it('closes the connection of a caller without the token', async () => {
    expect((await ask({ headers: {} })).headers['connection']).toBe('close');
  });

  it('accepts any id that a revocation can have', async () => {
    for (const id of ['a%2Fb', '%C3%BC', 'a.b'])
      expect(await ask({ method: 'DELETE', path: `/revocations/${id}` })).toMatchObject({
        status: 404,
        code: 'NoSuchRevocation',
      });
    for (const id of ['%', '%FF', 'a/b', ''])
      expect(await ask({ method: 'DELETE', path: `/revocations/${id}` })).toMatchObject({
        status: 404,
        code: 'NotFound',
      });
  });

  it('answers on its own port only', async () => {
    for (const url of [sidecar.url, sidecar.adminUrl]) {
      const response = await fetch(`${url}/revocations`, { headers: authorized });
      expect(response.status).toBeGreaterThanOrEqual(400);
    }
  });

  it('accepts an issuer that is not configured, and says so', async () => {
    const issuer = 'https://gone.example.com';
    const response = await fetch(`${sidecar.controlUrl}/revocations`, {
      method: 'POST',
      headers: authorized,
      body: JSON.stringify({ issuer }),
    });
    const body = (await response.json()) as Record<string, string>;
    expect([response.status, body['warning']]).toEqual([
      201,
      'no configured identity provider has this name',
    ]);
  });

  it('logs who was revoked, and never its token', async () => {
    await post('{"role":"data"}');
    const logged = sidecar.logged.join('');
    expect(logged).toContain('"msg":"revocation added"');
    expect(logged).not.toContain(token);
  });

  it('is off without a token', async () => {
    const without = await startSidecar({ further: 'control: { listen: "127.0.0.1:0" }' });
    expect(without.controlUrl).toBe('');
    await without.stop();
  });
});
