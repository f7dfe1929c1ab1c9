import { setTimeout } from 'node:timers/promises';
import { carol } from '../program.ts';
import type { SdkCredentials } from '../sdk.ts';
import { alice, bob } from '../sidecar.ts';
import { signedHead } from './signed.ts';
import { inBytes, Swarm, stsHead } from './sockets.ts';

/** The target of an attack. */
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

/** Batches of 1,000 long keys that are denied one by one; the answers, six times as long, are never read. */
export const unreadDenials =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const key = '"'.repeat(1000);
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
 * Requests without credentials in ever new bursts on each connection; the answers, five times as long as the requests, are
 * never read. How much the kernels take before an answer has to wait is not known (4 MiB, mostly), so the bursts go on for
 * longer than that and are of different lengths: the connections are left with different numbers of requests to answer. Those
 * of one burst arrive together, and are no more than a server takes that counts what waits on a connection.
 */
export const unreadPipelines =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const request = `GET /data/${'&'.repeat(1000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const burstOf = (index: number): string => request.repeat(30 + (index % 4) * 10);
    await each(count, (index) => swarm.open(burstOf(index), false));
    for (let round = 0; round < 36; round += 1) {
      await setTimeout(250);
      for (const [index, socket] of swarm.sockets.entries()) socket.write(burstOf(index));
    }
    return swarm;
  };

/** Which documents an attacker sends, and with which requests. */
export interface MarkupOptions {
  /** What the rest of a document consists of. */
  readonly filling?: string;
  readonly count?: number;
  readonly request?: readonly [method: string, selector: string];
}

/** Documents of the largest size that begin with markup which never closes, from a caller who may send them. */
export const unclosedMarkup =
  (
    markup: string,
    times: number,
    { filling = 'a', count = 1, request: [method, selector] = ['POST', 'delete'] }: MarkupOptions = {},
  ): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const begin = markup.repeat(times).slice(0, 2 * megabyte);
    const rest = filling.repeat((2 * megabyte - begin.length) / Buffer.byteLength(filling));
    const body = Buffer.from(begin + rest, 'utf8');
    const head = await signedHead(
      url,
      alice,
      { method, path: '/data', query: { [selector]: '' } },
      `Content-Length: ${body.length}\r\nConnection: close\r\n`,
    );
    await each(count, () => swarm.open(Buffer.concat([Buffer.from(head), body])));
    return swarm;
  };

/** The same SAML response, four times on each connection; its signature is invalid. */
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
    const requests = `${(stsHead(form.length) + form).repeat(3)}${stsHead(form.length, 'Connection: close\r\n')}${form}`;
    await each(count, () => swarm.open(requests));
    return swarm;
  };

/** Session tokens that do not open, each a different one. */
export const foreignTokens =
  (count: number, bytes = 2000): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const token = 'x'.repeat(bytes);
    const head = await signedHead(url, { ...bob, sessionToken: token }, { method: 'GET', path: '/data/k' });
    await each(count, (index) =>
      swarm.open(head.replace(token, String(index).padStart(bytes, 'y')).repeat(5)),
    );
    return swarm;
  };

/** Unsigned requests with as many query parameters as a head has room for. */
export const manyParameters =
  (count: number, parameters: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head = await signedHead(url, bob, { method: 'GET', path: '/data' });
    await each(count, () => swarm.open(head.replace('/data', `/data?${'a&'.repeat(parameters)}`).repeat(5)));
    return swarm;
  };

/** Requests that name another access key and another bucket each. */
export const distinctNames =
  (connections: number, requests: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head = await signedHead(url, bob, { method: 'GET', path: '/data/k' });
    const headOf = (number: string): string =>
      head
        .replace('/data/k', `/bucket-${number}/k`)
        .replace(bob.accessKeyId, `AKIA${number.padStart(16, 'A')}`);
    await each(connections, (connection) => {
      let sent = 0;
      let answered = 0;
      let rest = '';
      // A server need not accept many requests that come in one piece.
      const nextHeads = (): string => {
        const first = connection * requests + sent;
        const count = Math.min(20, requests - sent);
        sent += count;
        return Array.from({ length: count }, (_, index) => headOf(String(first + index))).join('');
      };
      const socket = swarm.open(nextHeads());
      socket.on('data', (text: string) => {
        const parts = (rest + text).split('HTTP/1.1 ');
        rest = parts.at(-1)?.slice(-9) ?? '';
        answered += parts.length - 1;
        if (answered === sent) socket.write(nextHeads());
      });
    });
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

/** Preflights that no browser has a reason to send. */
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

/** The identities that an attack may pose as. */
export const callers: Readonly<Record<'alice' | 'bob' | 'carol', SdkCredentials>> = {
  alice,
  bob,
  carol,
};
