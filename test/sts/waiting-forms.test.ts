import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { account, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { startWebhook, type TestWebhook } from '../support/webhook.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const KiB = 1024;
const formBytes = 256 * KiB - 1;
/** The calls that one provider lets wait: those that ask it, and its queue. */
const waiting = 32;
const refused = 8;

let webhook: TestWebhook;
let idp: TestIdentityProvider;
let sidecar: TestSidecar;
let sockets: Socket[];
beforeEach(async () => {
  webhook = await startWebhook();
  idp = await startIdentityProvider();
  sockets = [];
  // Calls wait in the queue of a provider for two seconds, in which a busy machine does not get them all there.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  sidecar = await startSidecar({
    directory: `
directory:
  policies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
  identityProviders:
    - { kind: custom-token, name: hook, roleId: hook, url: "${webhook.url}", rolePolicies: [All] }
    - { kind: oidc, name: login, issuer: "${idp.issuer}", clientIds: [sts-sidecar] }
`,
  });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets) socket.destroy();
  await sidecar.stop();
  await webhook.stop();
  await idp.stop();
});

/** What a form may hold beside what its action takes: names that are slices of it, characters that take two bytes. */
function filled(form: string): Buffer {
  const pieces = [form];
  let length = form.length;
  for (let index = 0; length + 340 < formBytes && index < 780; index += 1) {
    const piece = `&an_undeclared_name_${index}=\u00c4\u0080${'x'.repeat(300)}`;
    pieces.push(piece);
    length += piece.length;
  }
  const body = Buffer.from(`${pieces.join('')}&last=${'x'.repeat(formBytes - length - 6)}`, 'latin1');
  const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

async function buffered(): Promise<number> {
  const text = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  return Number(/^sts_sidecar_buffered_bytes (\d+)/m.exec(text)?.[1]);
}

async function memory(): Promise<number> {
  // Buffers are freed in the background, after a collection.
  for (let time = 0; time < 4; time += 1) {
    collect();
    await setImmediate();
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Sends calls until they wait. Returns the memory that each of them keeps, and the bytes that count for it. */
async function keptByEach(form: Buffer): Promise<{ readonly memory: number; readonly counted: number }> {
  const { hostname, port } = new URL(sidecar.url);
  const answers: string[] = [];
  // What the first request makes and keeps does not count.
  await buffered();
  const before = await memory();
  for (let index = 0; index < waiting + refused; index += 1) {
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => answers.push(data.toString()));
    socket.write(form);
  }
  // All others wait once these are refused.
  const isRefused = (answer: string): boolean => answer.includes('<Code>Throttling</Code>');
  await expect.poll(() => answers.filter(isRefused).length).toBe(refused);
  const kept = { memory: ((await memory()) - before) / waiting, counted: (await buffered()) / waiting };
  expect(answers).toHaveLength(refused);
  return kept;
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a form that waits for a provider', () => {
  it('keeps what its action takes while a webhook is asked', async () => {
    webhook.answerWith(() => true);
    const action = 'Action=AssumeRoleWithCustomToken&Version=2011-06-15';
    const form = filled(`${action}&RoleArn=arn%3Aminio%3Aiam%3A%3A%3Arole%2Fidmp-hook&Token=a-token`);
    const kept = await keptByEach(form);
    expect(kept.memory).toBeLessThan(128 * KiB);
    expect(kept.counted).toBeLessThan(KiB);
  });

  it('keeps what its action takes while keys are fetched, and its token unread', async () => {
    idp.answerWith(() => true);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: idp.issuer, aud: 'sts-sidecar', sub: 'subject', iat: now, exp: now + 3600 };
    const objects = Array.from({ length: 4600 }, () => ({}));
    const payload = encoded({ ...claims, objects });
    const token = `${encoded({ alg: 'RS256', kid: 'none' })}.${payload}.${'A'.repeat(342)}`;
    expect(token.length).toBeLessThan(20_000);
    const action = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15';
    const role = `RoleArn=arn%3Aaws%3Aiam%3A%3A${account}%3Arole%2Fnone&RoleSessionName=session`;
    const kept = await keptByEach(filled(`${action}&${role}&WebIdentityToken=${token}`));
    expect(kept.memory).toBeLessThan(128 * KiB);
    expect(kept.counted).toBeLessThan(32 * KiB);
  });

  it('does not start to wait with more session policies than a session may have', async () => {
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: `arn:aws:iam::${account}:role/none`,
      RoleSessionName: 'session',
      WebIdentityToken: await idp.mint(),
    });
    for (let index = 1; index <= 10; index += 1)
      body.set(`PolicyArns.member.${index}.arn`, `arn:aws:iam::${account}:policy/${'a'.repeat(2000)}`);
    // A sidecar asks for the keys when it starts.
    await expect.poll(() => idp.requests.length).toBe(2);
    const response = await fetch(sidecar.url, { method: 'POST', body });
    expect(await response.text()).toContain('<Code>PackedPolicyTooLarge</Code>');
    expect(idp.requests).toHaveLength(2);
  });
});
