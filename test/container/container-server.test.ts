import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';
import { type Answered, type Asked, askEndpoint } from './asking.ts';

const clock = new TestClock();
let idp: TestIdentityProvider;
let stranger: TestIdentityProvider;
let sidecar: TestSidecar;
beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  stranger = await startIdentityProvider({ clock });
  sidecar = await startSidecar({
    clock,
    directory: webIdentityDirectory({ issuer: idp.issuer }),
    further: 'containerCredentials: { listen: "127.0.0.1:0" }',
  });
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
  await stranger.stop();
});

const credentials = `/v1/credentials?roleArn=${roleArn('pod')}`;
const ask = (asked: Asked): Promise<Answered> =>
  askEndpoint(sidecar.containerUrl, { path: credentials, ...asked });
/** Status and code, after a check that every refusal has the same form. */
async function refusal(asked: Asked): Promise<string> {
  const { status, headers, body } = await ask(asked);
  expect(Object.keys(body)).toEqual(['code', 'message', 'Code', 'Message']);
  expect([body['Code'], body['Message']]).toEqual([body['code'], body['message']]);
  expect([headers['content-type'], headers['cache-control']]).toEqual(['application/json', 'no-store']);
  return `${status} ${body['code']}`;
}
const lines = (): Record<string, unknown>[] =>
  sidecar.logged.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the container credentials endpoint', () => {
  it('answers in the form that SDKs expect', async () => {
    const { status, headers, body } = await ask({ token: await idp.mint() });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration']);
    expect(body['AccessKeyId']).toMatch(/^ASIA/);
    expect(body['Expiration']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const lifetimeMs = Date.parse(body['Expiration'] ?? '') - clock.now();
    expect(Math.round(lifetimeMs / 60_000)).toBe(60);
    expect([headers['content-type'], headers['cache-control']]).toEqual(['application/json', 'no-store']);
  });

  it('logs who got which session, and no secret', async () => {
    const token = await idp.mint();
    const { headers, body } = await ask({ token, headers: { 'user-agent': 'an-sdk/1' } });
    const line = lines().find((one) => one['request_id'] === headers['x-amzn-requestid']);
    expect(line).toMatchObject({
      component: 'sts',
      listener: 'container',
      operation: 'AssumeRoleWithWebIdentity',
      status: 200,
      role_arn: roleArn('pod'),
      session_name: 'subject-1',
      subject: 'subject-1',
      audience: 'sts-sidecar',
      identity_provider: 'test',
      source_ip: '127.0.0.1',
      user_agent: 'an-sdk/1',
      issued_access_key_id: body['AccessKeyId'],
      expiration: body['Expiration'],
    });
    expect(line?.['issued_session_id']).toMatch(/^[\w-]{22}$/);
    const logged = sidecar.logged.join('');
    for (const secret of [token, body['SecretAccessKey'], body['Token']])
      expect(logged).not.toContain(secret);
  });

  it('counts what it issues and refuses as STS does', async () => {
    const count = async (metric: string): Promise<number> => {
      const text = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`sts_sidecar_${metric}`));
      return Number(line?.split(' ')[1] ?? 0);
    };
    const issued = 'credentials_issued_total{action="AssumeRoleWithWebIdentity",provider="test"}';
    const before = await count(issued);
    await ask({ token: await idp.mint() });
    expect(await count(issued)).toBe(before + 1);
    await ask({ token: await idp.mint({ aud: 'other' }) });
    const refused = 'sts_requests_total{action="AssumeRoleWithWebIdentity",provider="test",code="401"}';
    expect(await count(refused)).toBeGreaterThan(0);
    const malformed = 'authn_failures_total{reason="malformed"}';
    const failures = await count(malformed);
    await ask({});
    expect(await count(malformed)).toBe(failures + 1);
    const text = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(text).toContain('sts_sidecar_open_connections{listener="container"}');
  });

  it('takes the name and the duration of the session from the URL', async () => {
    const { headers, body } = await ask({
      token: await idp.mint(),
      path: `${credentials}&roleSessionName=reports&durationSeconds=900`,
    });
    const lifetimeMs = Date.parse(body['Expiration'] ?? '') - clock.now();
    expect(Math.round(lifetimeMs / 60_000)).toBe(15);
    const line = lines().find((one) => one['request_id'] === headers['x-amzn-requestid']);
    expect(line?.['session_name']).toBe('reports');
  });

  it('accepts a percent-encoded ARN, and one without an account', async () => {
    const paths = [encodeURIComponent(roleArn('pod')), 'arn:aws:iam:::role/pod'];
    for (const arn of paths) {
      const token = await idp.mint();
      expect((await ask({ token, path: `/v1/credentials?roleArn=${arn}` })).status).toBe(200);
    }
  });

  it('names the session of a service account after it', async () => {
    const sub = 'system:serviceaccount:apps:reports';
    const path = `/v1/credentials?roleArn=${roleArn('own-prefix')}`;
    const { headers } = await ask({ token: await idp.mint({ sub }), path });
    const line = lines().find((one) => one['request_id'] === headers['x-amzn-requestid']);
    expect(line?.['session_name']).toMatch(/^system-serviceaccount-apps-reports-[\w-]{10}$/);
  });

  it.each<[string, (token: string) => Asked['headers']]>([
    ['none', () => ({})],
    ['an empty one', () => ({ authorization: '' })],
    ['one in another header', (token) => ({ 'x-aws-ec2-metadata-token': token })],
  ])('refuses a request whose token is %s', async (_, headers) => {
    const sent = headers(await idp.mint()) ?? {};
    expect(await refusal({ headers: sent })).toBe('401 MissingAuthenticationToken');
  });

  it.each<[string, () => Promise<string>, string]>([
    ['no token', async () => 'a-token-of-another-kind', 'InvalidIdentityToken'],
    ['for another audience', () => idp.mint({ aud: 'other' }), 'InvalidIdentityToken'],
    ['without an audience', () => idp.mint({ aud: undefined }), 'InvalidIdentityToken'],
    ['of another issuer', () => stranger.mint(), 'InvalidIdentityToken'],
    ['signed by another issuer', () => stranger.mint({ iss: idp.issuer }), 'InvalidIdentityToken'],
    ['with a scheme before it', async () => `Bearer ${await idp.mint()}`, 'InvalidIdentityToken'],
    [
      'cut in the middle of its signature',
      async () => (await idp.mint()).slice(0, -20),
      'InvalidIdentityToken',
    ],
    [
      'expired',
      () =>
        idp.mint({ exp: Math.floor(clock.now() / 1000) - 600, iat: Math.floor(clock.now() / 1000) - 900 }),
      'ExpiredTokenException',
    ],
  ])('refuses a token that is %s with 401', async (_, token, code) => {
    expect(await refusal({ token: await token() })).toBe(`401 ${code}`);
  });

  it.each([
    ['that trusts another provider', roleArn('other')],
    ['that trusts no user of a provider', roleArn('everyone')],
    ['that trusts another role only', roleArn('by-role')],
    ['that does not exist', roleArn('nothing')],
    ['of another account', 'arn:aws:iam::999999999999:role/pod'],
  ])('refuses a role %s, and always in the same words', async (_, arn) => {
    const asked = { token: await idp.mint(), path: `/v1/credentials?roleArn=${arn}` };
    expect(await refusal(asked)).toBe('403 AccessDenied');
    const { body } = await ask(asked);
    expect(body['message']).toBe('Not authorized to perform sts:AssumeRoleWithWebIdentity');
  });

  it('refuses a role whose trust policy names another subject', async () => {
    expect(await refusal({ token: await idp.mint({ sub: 'subject-2' }) })).toBe('403 AccessDenied');
  });

  it.each([
    ['no role', '/v1/credentials', 'ValidationError'],
    ['an empty role', '/v1/credentials?roleArn=', 'ValidationError'],
    ['a role that is no ARN', '/v1/credentials?roleArn=pod', 'ValidationError'],
    ['a name with a space', `${credentials}&roleSessionName=a%20b`, 'ValidationError'],
    ['a name of one letter', `${credentials}&roleSessionName=a`, 'ValidationError'],
    ['a duration under 900', `${credentials}&durationSeconds=899`, 'ValidationError'],
    ['a duration over that of the role', `${credentials}&durationSeconds=3601`, 'ValidationError'],
    ['a duration that is no number', `${credentials}&durationSeconds=1h`, 'ValidationError'],
    ['a role twice', `${credentials}&roleArn=${roleArn('pod')}`, 'MalformedRequest'],
    ['an unknown parameter', `${credentials}&Policy=%7B%7D`, 'MalformedRequest'],
    ['another spelling of a parameter', `/v1/credentials?RoleArn=${roleArn('pod')}`, 'MalformedRequest'],
    ['a token in the URL', `${credentials}&WebIdentityToken=abcd`, 'MalformedRequest'],
    ['a query that does not decode', `${credentials}%zz`, 'MalformedRequest'],
  ])('refuses a URL with %s', async (_, path, code) => {
    expect(await refusal({ token: await idp.mint(), path })).toBe(`400 ${code}`);
  });

  it.each([
    'attacker.example',
    'attacker.example:9092',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example',
    'localhost.',
    'attacker.example#localhost',
    'localhost@attacker.example',
    '169.254.170.2',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::2]:9092',
  ])('refuses the host %s, which a name of an attacker can stand for', async (host) => {
    const token = await idp.mint();
    expect(await refusal({ token, headers: { host } })).toBe('403 ForeignHost');
    const forwarded = { host, 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
    expect(await refusal({ token, headers: forwarded })).toBe('403 ForeignHost');
    expect(await refusal({ token, path: '/', headers: { host } })).toBe('403 ForeignHost');
  });

  it.each(['localhost', 'LOCALHOST:80', '127.0.0.1:1', '127.1.2.3', '[::1]:9092'])(
    'answers to the host %s',
    async (host) => {
      expect((await ask({ token: await idp.mint(), headers: { host } })).status).toBe(200);
    },
  );

  it.each(['/', '/v1', '/v1/credentials/', '/V1/credentials', '/v1/credentials/pod', '/metrics', '/livez'])(
    'has nothing at %s',
    async (path) => {
      expect(await refusal({ token: await idp.mint(), path })).toBe('404 NotFound');
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('does not know %s', async (method) => {
    expect(await refusal({ token: await idp.mint(), method })).toBe('405 MethodNotAllowed');
  });

  it('refuses a request with a body, and closes its connection', async () => {
    const { status, headers } = await ask({ token: await idp.mint(), body: 'x'.repeat(100_000) });
    expect([status, headers['connection']]).toEqual([400, 'close']);
  });

  it('refuses two tokens', async () => {
    const token = await idp.mint();
    const authorization = [token, token];
    expect(await refusal({ headers: { authorization } })).toBe('400 MalformedRequest');
  });

  it.each([
    ['no host', 'GET /v1/credentials HTTP/1.1\r\n\r\n'],
    ['two hosts', 'GET /v1/credentials HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n'],
    ['no host, as in HTTP/1.0', 'GET /v1/credentials HTTP/1.0\r\n\r\n'],
    ['its own URL as target', 'GET http://localhost/v1/credentials HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ])('refuses a request with %s', async (_, text) => {
    expect(await firstLine(text)).toBe('HTTP/1.1 400 Bad Request');
  });

  it('closes the connection of a client that does not wait for its answer', async () => {
    const socket = connect(port(), '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(50));
    await once(socket, 'close');
    expect(Buffer.concat(pieces).toString().split('HTTP/1.1').length - 1).toBeLessThanOrEqual(1);
  });

  it('answers while others hold connections and unfinished heads', async () => {
    const others = Array.from({ length: 200 }, () => connect(port(), '127.0.0.1'));
    for (const one of others) {
      one.on('error', () => undefined);
      one.write('GET /v1/credentials HTTP/1.1\r\nhost: localhost\r\nx: ');
    }
    await Promise.all(others.map((one) => once(one, 'connect')));
    expect((await ask({ token: await idp.mint() })).status).toBe(200);
    for (const one of others) one.destroy();
  });

  it('answers on its own port only', async () => {
    const token = await idp.mint();
    for (const url of [sidecar.url, sidecar.adminUrl]) {
      const response = await fetch(`${url}${credentials}`, { headers: { authorization: token } });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toContain('SecretAccessKey');
    }
  });

  it('asks for another try when the identity provider cannot be asked', async () => {
    const unreachable = await startSidecar({
      clock,
      directory: webIdentityDirectory({ issuer: 'http://127.0.0.1:9' }),
      further: 'containerCredentials: { listen: "127.0.0.1:0" }',
    });
    const token = await idp.mint({ iss: 'http://127.0.0.1:9' });
    const { status, body } = await askEndpoint(unreachable.containerUrl, { path: credentials, token });
    expect([status, body['code']]).toEqual([503, 'IDPCommunicationError']);
    await unreachable.stop();
  });

  it('needs no role where the provider names the policies', async () => {
    const provider = 'kind: oidc, clientIds: [sts-sidecar], claimName: policy';
    const claims = await startSidecar({
      clock,
      directory: webIdentityDirectory({ issuer: idp.issuer, provider }),
      further: 'containerCredentials: { listen: "127.0.0.1:0" }',
    });
    const asked = async (policy: string): Promise<number> => {
      const token = await idp.mint({ policy });
      return (await askEndpoint(claims.containerUrl, { path: '/v1/credentials', token })).status;
    };
    expect([await asked('DataBucket'), await asked('NoSuchPolicy')]).toEqual([200, 403]);
    await claims.stop();
  });

  it('is off without an address', async () => {
    const off = await startSidecar({ directory: webIdentityDirectory({ issuer: idp.issuer }) });
    expect(off.containerUrl).toBe('');
    await off.stop();
  });
});

const port = (): number => Number(new URL(sidecar.containerUrl).port);

async function firstLine(text: string): Promise<string> {
  const socket = connect(port(), '127.0.0.1');
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split('\r\n')[0] ?? '';
}
