import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Places } from '../../src/edge/places.ts';
import { PresentedToken } from '../../src/identity/unverified-token.ts';
import { stsHead } from '../support/hostile/sockets.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const count = 20;

let idp: TestIdentityProvider;
let sidecar: TestSidecar;
beforeEach(async () => {
  idp = await startIdentityProvider();
  sidecar = await startSidecar({
    directory: webIdentityDirectory({ issuer: idp.issuer }),
    server: '  limits: { maxUnauthenticated: 2 }',
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await sidecar.stop();
  await idp.stop();
});

/** A call whose token names the published key, and whose signature is another one. Many of its claims are empty objects. */
async function forged(): Promise<string> {
  const token = await idp.mint({ x: Array.from({ length: 300 }, () => ({})) });
  const signature = 'A'.repeat(token.length - token.lastIndexOf('.') - 1);
  return new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn('pod'),
    RoleSessionName: 'abc',
    WebIdentityToken: token.slice(0, token.lastIndexOf('.') + 1) + signature,
  }).toString();
}

async function opened(): Promise<Socket> {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  return socket;
}

const closing = 'Connection: close\r\n';

describe.each([
  ['query', (form: string) => `GET /?${form} HTTP/1.1\r\nHost: localhost\r\n${closing}\r\n`],
  ['body', (form: string) => stsHead(form.length, closing) + form],
])('tokens of strangers in the %s', (_, requestOf) => {
  it('stay within their room, and are not kept in parsed form, while they are verified', async () => {
    const request = requestOf(await forged());
    const first = await opened();
    first.write(request);
    // The keys are known from here on, so no call has to wait for them.
    expect(await readAll(first)).toContain('<Code>InvalidIdentityToken</Code>');
    let most = 0;
    const { enter } = Places.prototype;
    vi.spyOn(Places.prototype, 'enter').mockImplementation(function (this: Places) {
      const place = enter.apply(this);
      most = Math.max(most, this.unauthenticated);
      return place;
    });
    const forgotten = vi.spyOn(PresentedToken.prototype, 'forget');
    const sockets = await Promise.all(Array.from({ length: count }, opened));
    const answers = sockets.map(readAll);
    for (const socket of sockets) socket.write(request);
    const judged = (await Promise.all(answers)).filter((answer) => answer.includes('InvalidIdentityToken'));
    expect(judged.length).toBeGreaterThan(0);
    // One more than fit: it is being worked on.
    expect(most).toBeLessThanOrEqual(3);
    expect(forgotten.mock.calls.length).toBeGreaterThanOrEqual(judged.length);
  });
});
