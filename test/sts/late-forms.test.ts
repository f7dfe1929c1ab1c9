import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlClient } from '../support/control-client.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { assume, type SdkCredentials } from '../support/sdk.ts';
import {
  alice,
  defaultDirectory,
  roleArn,
  startSidecar,
  TestClock,
  type TestSidecar,
} from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { summary } from '../support/wire.ts';

const token = 'control-token-of-this-test';
let clock: TestClock;
let sidecar: TestSidecar;
let session: SdkCredentials;
let idp: TestIdentityProvider;

beforeEach(async () => {
  clock = new TestClock();
  idp = await startIdentityProvider({ clock });
  sidecar = await startSidecar({
    clock,
    directory: `${defaultDirectory}
  identityProviders: [{ kind: oidc, name: people, issuer: "${idp.issuer}", clientIds: [app], claimName: policy }]`,
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
    variables: { CONTROL: token },
  });
  session = await assume(sidecar.url, alice, 'data');
});
afterEach(async () => {
  await sidecar.stop();
  await idp.stop();
});

/** Sends a form of that caller, or of a stranger, and runs `meanwhile` once the head has arrived and before the form is sent. */
async function sendLate(
  caller: SdkCredentials | undefined,
  form: Readonly<Record<string, string>>,
  meanwhile: () => Promise<void> | void,
): Promise<string> {
  const { host, hostname, port } = new URL(sidecar.url);
  const body = new URLSearchParams({ Version: '2011-06-15', ...form }).toString();
  const headers = {
    host,
    'content-type': 'application/x-www-form-urlencoded',
    'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
  };
  const request = { method: 'POST', path: '/', query: {}, headers };
  const options = { nowMs: clock.now(), service: 'sts' };
  const signed =
    caller === undefined ? Object.entries(headers) : (await signWithSmithy(request, caller, options)).headers;
  const fields = signed.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const socket = connect({ host: hostname, port: Number(port) });
  const answer = readAll(socket);
  socket.write(
    `POST / HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
  );
  await once(socket, 'data');
  await meanwhile();
  socket.write(body);
  return summary((await answer).replace(/^HTTP\/1\.1 100 Continue\r\n(?:[^\r]+\r\n)*\r\n/, ''));
}

const assumeReader = { Action: 'AssumeRole', RoleArn: roleArn('reader'), RoleSessionName: 'next' };

describe.each([
  ['AssumeRole', assumeReader],
  ['GetCallerIdentity', { Action: 'GetCallerIdentity' }],
])('a form of %s', (_, form) => {
  it('is refused when its session expires before the form has arrived', async () => {
    expect(await sendLate(session, form, () => clock.advance(3_700_000))).toBe('403 ExpiredToken');
  });

  it('is refused when its session is revoked before the form has arrived', async () => {
    const revoke = async (): Promise<void> => {
      const { status } = await controlClient(sidecar.controlUrl, token).add({ role: 'data' });
      expect(status).toBe(201);
    };
    expect(await sendLate(session, form, revoke)).toBe('403 ExpiredToken');
  });
});

it('a form of a long-term key, or of a session that stays valid, is answered however late it arrives', async () => {
  expect(await sendLate(alice, assumeReader, () => clock.advance(600_000))).toBe('200');
  expect(await sendLate(session, { Action: 'GetCallerIdentity' }, () => undefined)).toBe('200');
});

describe('a form with an id token', () => {
  const form = async (): Promise<Record<string, string>> => ({
    Action: 'AssumeRoleWithWebIdentity',
    WebIdentityToken: await idp.mint({
      aud: 'app',
      policy: 'ReadOnly',
      exp: Math.floor(clock.now() / 1000) + 300,
    }),
  });

  it('is refused when the token expires before the form has arrived', async () => {
    const late = await sendLate(undefined, await form(), () => clock.advance(301_000));
    expect(late).toBe('400 ExpiredTokenException');
  });

  it('gives credentials when the token is still valid then', async () => {
    expect(await sendLate(undefined, await form(), () => clock.advance(200_000))).toBe('200');
  });
});
