import { setTimeout } from 'node:timers/promises';
import { carol } from '../program.ts';
import type { SdkCredentials } from '../sdk.ts';
import { alice, bob } from '../sidecar.ts';
import { signedHead } from './signed.ts';
import { inBytes, Swarm, stsHead } from './sockets.ts';

/** Where an attack is aimed at. */
export interface Target {
  readonly url: string;
  readonly adminUrl: string;
}

/** What an attacker does; the connections stay open until the swarm is closed. */
export type Attack = (target: Target) => Promise<Swarm>;

const megabyte = 1024 * 1024;

/** Connections that an attacker opens before it lets others run. */
const burst = 50;

const each = async (count: number, act: (index: number) => void): Promise<void> => {
  for (let index = 0; index < count; index += 1) {
    act(index);
    if (index % burst === burst - 1) await setTimeout(20);
  }
};

/** Forms in HTTP chunks of one byte each. */
export const formsInBytes: Attack = async ({ url }) => {
  const swarm = new Swarm(url);
  const form = `Action=GetCallerIdentity&Version=2011-06-15&x=${'a'.repeat(250_000)}`;
  const body = Buffer.from(inBytes(form));
  await each(10, () => swarm.open(Buffer.concat([Buffer.from(stsHead(undefined)), body])));
  return swarm;
};

/** Forms that wait for their last byte. */
export const waitingForms =
  (count: number, bytes: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const whole = Buffer.concat([Buffer.from(stsHead(bytes)), Buffer.alloc(bytes - 1, 'a')]);
    await each(count, () => swarm.open(whole));
    return swarm;
  };

async function batchHead(url: string, caller: SdkCredentials, framing: string): Promise<string> {
  const request = { method: 'POST', path: '/data', query: { delete: '' } };
  return signedHead(url, caller, request, framing);
}

/** A batch in HTTP chunks of one byte each. */
export const batchInBytes =
  (caller: SdkCredentials): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head = await batchHead(url, caller, 'Transfer-Encoding: chunked\r\n');
    swarm.open(Buffer.concat([Buffer.from(head), Buffer.from(inBytes('a'.repeat(2 * megabyte)))]));
    return swarm;
  };

/** Batches of the largest size that wait for their last byte. */
export const waitingBatches =
  (count: number, caller: SdkCredentials): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const length = 2 * megabyte;
    const head = await batchHead(url, caller, `Content-Length: ${length}\r\n`);
    const whole = Buffer.concat([Buffer.from(head), Buffer.alloc(length - 1, ' ')]);
    await each(count, () => swarm.open(whole));
    return swarm;
  };

/** Batches of 1,000 long keys that are denied one by one; the answers are never read. */
export const unreadDenials =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const key = '&amp;'.repeat(300);
    const objects = Array.from({ length: 1000 }, (_, index) => `<Object><Key>${index}${key}</Key></Object>`);
    const body = `<Delete>${objects.join('')}</Delete>`;
    const head = await batchHead(url, carol, `Content-Length: ${body.length}\r\n`);
    await each(count, () => swarm.open(head + body, false));
    return swarm;
  };

/** Heads that never end. */
export const unfinishedHeads =
  (count: number, bytes: number, port: 'url' | 'adminUrl'): Attack =>
  async (target) => {
    const swarm = new Swarm(target[port]);
    const head = `GET /data/k HTTP/1.1\r\nHost: localhost\r\n${'x-filling: aaaaaaaaaaaaaaaa\r\n'.repeat(bytes / 30)}`;
    await each(count, () => swarm.open(head));
    return swarm;
  };

/**
 * Requests without credentials in ever new bursts on each connection; the answers, 30 KiB each, are never read. How much the
 * kernels take before an answer has to wait is not known, so the connections stop after different numbers of bursts.
 */
export const unreadPipelines =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const requests = `GET /data/${'k'.repeat(30_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(10);
    await each(count, () => swarm.open(requests, false));
    for (let round = 0; round < 38; round += 1) {
      await setTimeout(30);
      for (const [index, socket] of swarm.sockets.entries()) {
        if (round < 8 + (index % 30)) socket.write(requests);
      }
    }
    return swarm;
  };

/** A document of the largest size that begins with markup which never closes, from a caller who may send it. */
export const unclosedMarkup =
  (markup: string, times: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const body = markup
      .repeat(times)
      .padEnd(2 * megabyte, 'a')
      .slice(0, 2 * megabyte);
    const head = await batchHead(url, alice, `Content-Length: ${2 * megabyte}\r\nConnection: close\r\n`);
    swarm.open(Buffer.from(head + body, 'utf8'));
    return swarm;
  };

/** SAML responses of the largest kind whose signature is worth nothing. */
export const forgedAssertions =
  (count: number, principal: string, role: string, response: string): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithSAML',
      Version: '2011-06-15',
      PrincipalArn: principal,
      RoleArn: role,
      SAMLAssertion: response,
    }).toString();
    await each(count, () => swarm.open((stsHead(form.length) + form).repeat(4)));
    return swarm;
  };

/** Session tokens that do not open, each another one. */
export const foreignTokens =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head = await signedHead(
      url,
      { ...bob, sessionToken: 'x'.repeat(2000) },
      { method: 'GET', path: '/data/k' },
    );
    await each(count, (index) =>
      swarm.open(head.replace(/x{2000}/, String(index).padStart(2000, 'y')).repeat(5)),
    );
    return swarm;
  };

/** Uploads that are refused from their heads, whose bodies trickle. */
export const refusedUploads =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    await each(count, () =>
      swarm.open('PUT /data/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc'),
    );
    return swarm;
  };

/** Preflights of browsers that nobody asked for. */
export const preflights =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head =
      'OPTIONS /data/k HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n\r\n';
    await each(count, () => swarm.open(head.repeat(20)));
    return swarm;
  };

/** Calls that wait for a webhook, many on each connection. */
export const webhookCalls =
  (connections: number, calls: number, role: string): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const form = `Action=AssumeRoleWithCustomToken&Version=2011-06-15&Token=bad&RoleArn=${encodeURIComponent(role)}`;
    await each(connections, () => swarm.open((stsHead(form.length) + form).repeat(calls)));
    return swarm;
  };

/** Everyone whom an attack may pose as. */
export const callers: Readonly<Record<'alice' | 'bob' | 'carol', SdkCredentials>> = {
  alice,
  bob,
  carol,
};
