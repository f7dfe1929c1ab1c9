import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Places } from '../../src/edge/places.ts';
import { PresentedToken } from '../../src/identity/unverified-token.ts';
import { encodeHeader } from '../../src/tokens/compact-jwe.ts';
import { sessionTokenType } from '../../src/tokens/seal.ts';
import { stsHead } from '../support/hostile/sockets.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
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

/** The most requests in the room at the same time, from now on. */
function watchRoom(): () => number {
  let most = 0;
  const { enter } = Places.prototype;
  vi.spyOn(Places.prototype, 'enter').mockImplementation(function (this: Places) {
    const place = enter.apply(this);
    most = Math.max(most, this.unauthenticated);
    return place;
  });
  return () => most;
}

describe.each([
  ['query', (form: string) => `GET /?${form} HTTP/1.1\r\nHost: localhost\r\n${closing}\r\n`],
  ['body', (form: string) => stsHead(form.length, closing) + form],
])('tokens of strangers in the %s', (_, requestOf) => {
  it('stay within their room, and are not kept in parsed form, while they are verified', async () => {
    const request = requestOf(await forged());
    const first = await opened();
    first.write(request);
    // From here on the keys are known, so no call waits for them.
    expect(await readAll(first)).toContain('<Code>InvalidIdentityToken</Code>');
    const mostInRoom = watchRoom();
    const forgotten = vi.spyOn(PresentedToken.prototype, 'forget');
    const sockets = await Promise.all(Array.from({ length: count }, opened));
    const answers = sockets.map(readAll);
    for (const socket of sockets) socket.write(request);
    const judged = (await Promise.all(answers)).filter((answer) => answer.includes('InvalidIdentityToken'));
    expect(judged.length).toBeGreaterThan(0);
    // One more than fit: it is being worked on.
    expect(mostInRoom()).toBeLessThanOrEqual(3);
    expect(forgotten.mock.calls.length).toBeGreaterThanOrEqual(judged.length);
  });
});

// The header of session tokens can be read in every presigned URL that a session has made.
it.each<[string, Parameters<typeof signWithSmithy>[0], 's3' | 'sts']>([
  ['S3', { method: 'GET', path: '/data/k', query: {}, headers: {} }, 's3'],
  [
    'STS',
    { method: 'GET', path: '/', query: { Action: 'GetCallerIdentity', Version: '2011-06-15' }, headers: {} },
    'sts',
  ],
])(
  'made-up session tokens of strangers at %s stay within their room while they are opened',
  async (_, request, service) => {
    const header = encodeHeader({ alg: 'dir', enc: 'A256GCM', kid: 'k1', typ: sessionTokenType });
    const madeUp = [12, 3_000, 16].map((length) => Buffer.alloc(length, 7).toString('base64url'));
    const keys = {
      ...alice,
      accessKeyId: 'ASIAMADEUPMADEUPMADE',
      sessionToken: [header, '', ...madeUp].join('.'),
    };
    const { host } = new URL(sidecar.url);
    const signed = await signWithSmithy({ ...request, headers: { host } }, keys, {
      nowMs: Date.now(),
      service,
    });
    const fields = signed.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const sockets = await Promise.all(Array.from({ length: 300 }, opened));
    const answers = sockets.map(readAll);
    const mostInRoom = watchRoom();
    for (const socket of sockets) socket.write(`GET ${signed.target} HTTP/1.1\r\n${fields}${closing}\r\n`);
    for (const answer of await Promise.all(answers))
      expect(answer).toMatch(/<Code>Invalid(?:Token|ClientTokenId)</);
    expect(mostInRoom()).toBeLessThanOrEqual(3);
  },
);
