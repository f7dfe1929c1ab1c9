import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectsCommand, GetObjectCommand, ListBucketsCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordsOf } from '../support/audit.ts';
import { type AuditCollector, startAuditCollector } from '../support/audit-collector.ts';
import { postForm } from '../support/post-form.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let collector: AuditCollector;
let folder: string;
let sidecar: TestSidecar | undefined;
beforeEach(async () => {
  collector = await startAuditCollector();
  folder = await mkdtemp(join(tmpdir(), 'audit-sinks-'));
});
afterEach(async () => {
  collector.answerWith(undefined);
  await sidecar?.stop();
  sidecar = undefined;
  await collector.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(audit: string, further = ''): Promise<TestSidecar> {
  sidecar = await startSidecar({
    further: `audit: { ${audit} }\n${further}`,
    variables: { COLLECTOR: 'Bearer of-the-collector' },
  });
  return sidecar;
}
const webhook = (): string =>
  `webhook: { url: "${collector.url}/v1?tenant=t", headers: { Authorization: { env: COLLECTOR } } }`;

const ask = ({ url }: TestSidecar): Promise<string> =>
  outcome(stsClient(url, alice).send(new GetCallerIdentityCommand({})));

async function counted({ adminUrl }: TestSidecar, sink: string, outcomeLabel: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const series = `sts_sidecar_audit_events_total{sink="${sink}",outcome="${outcomeLabel}"} `;
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.slice(series.length) ?? 0,
  );
}

describe('the sinks of the audit trail', () => {
  it('all get every record', async () => {
    const path = join(folder, 'audit.log');
    const running = await start(`stdout: true, file: "${path}", ${webhook()}`);
    for (let count = 0; count < 20; count += 1) await ask(running);
    await expect.poll(() => collector.records.length).toBe(20);
    await running.app.stop();
    const inFile = recordsOf(await readFile(path, 'utf8'));
    const inOutput = recordsOf(running.logged.join(''));
    expect(inFile).toEqual(inOutput);
    expect(collector.records).toEqual(inOutput);
    expect(new Set(inOutput.map(({ eventID }) => eventID)).size).toBe(20);
  });

  it('of a webhook send its headers, and say nothing of them', async () => {
    const running = await start(webhook());
    await ask(running);
    await expect.poll(() => collector.records.length).toBe(1);
    expect(collector.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer of-the-collector',
      'content-type': 'application/json',
    });
    collector.answerWith((response) => response.writeHead(401).end() && true);
    await ask(running);
    await expect.poll(() => running.logged.join('')).toContain('answered with status 401');
    expect(running.logged.join('')).not.toContain('of-the-collector');
  });

  it.each([
    ['answers 500', (response) => void response.writeHead(500).end()],
    ['resets the connection', (response) => void response.socket?.resetAndDestroy()],
    ['redirects', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['never answers', () => undefined],
  ] satisfies [string, (response: import('node:http').ServerResponse) => void][])(
    'lose nothing when a webhook %s for a while',
    async (_, answer) => {
      collector.answerWith((response) => {
        answer(response);
        return true;
      });
      const running = await start(webhook(), 'outbound: { timeoutSeconds: 1 }');
      for (let count = 0; count < 5; count += 1) await ask(running);
      await expect
        .poll(() => running.logged.join(''), { timeout: 5_000 })
        .toContain('cannot be delivered yet');
      collector.answerWith(undefined);
      await expect.poll(() => collector.records.length, { timeout: 10_000 }).toBe(5);
      await expect.poll(() => counted(running, 'webhook', 'delivered')).toBe(5);
      expect(await counted(running, 'webhook', 'dropped')).toBe(0);
    },
    20_000,
  );

  it.each([
    ['a parameter', `list-type=2&prefix=${'a'.repeat(1023)}`],
    ['another', `list-type=2&delimiter=${'a'.repeat(1023)}`],
  ])(
    'cut no character in two, which a strict collector would never take: %s of a stranger',
    async (_, query) => {
      collector.answerWith((response) => {
        const { body = '' } = collector.requests.at(-1) ?? {};
        if (/\\ud[89a-f]/.test(body)) response.writeHead(500).end();
        return response.writableEnded;
      });
      const running = await start(webhook());
      expect((await fetch(`${running.url}/data?${query}%F0%9F%98%80b`)).status).toBe(403);
      await ask(running);
      await expect.poll(() => collector.records.length, { timeout: 5_000 }).toBe(2);
      expect(JSON.stringify(collector.records[0])).toContain(`${'a'.repeat(1023)}…`);
    },
  );

  it('lose the one record that a webhook fails for, and no other', async () => {
    collector.answerWith((response) => {
      const { body = '' } = collector.requests.at(-1) ?? {};
      if (body.includes('marked')) response.writeHead(500).end();
      return response.writableEnded;
    });
    const running = await start(webhook());
    await ask(running);
    await fetch(`${running.url}/data/marked`);
    for (let count = 0; count < 9; count += 1) await ask(running);
    await expect.poll(() => counted(running, 'webhook', 'dropped'), { timeout: 40_000 }).toBe(1);
    await expect.poll(() => collector.records.length, { timeout: 10_000 }).toBe(10);
    await expect
      .poll(() => running.logged.join(''))
      .toContain('it fails again and again for this record, and takes others');
    expect(running.logged.join('')).toContain('"holder":"strangers"');
  }, 60_000);

  it('lose a record that a webhook refuses for ever, and count it', async () => {
    collector.answerWith((response) => response.writeHead(422).end() && true);
    const running = await start(webhook());
    await ask(running);
    await expect.poll(() => counted(running, 'webhook', 'dropped')).toBe(1);
    expect(running.logged.join('')).toContain('"msg":"audit records are lost"');
  });

  it('let requests pass while the disk is full, and lose nothing once there is room', async () => {
    const path = join(folder, 'audit.log');
    await symlink('/dev/full', path);
    const running = await start(`file: "${path}"`);
    expect(await ask(running)).toBe('allowed');
    await expect.poll(() => running.logged.join('')).toContain('cannot be written to: ENOSPC');
    expect(await ask(running)).toBe('allowed');
    await rm(path);
    await expect.poll(() => counted(running, 'file', 'delivered'), { timeout: 10_000 }).toBe(2);
    expect(recordsOf(await readFile(path, 'utf8'))).toHaveLength(2);
  });
});

describe('a sidecar whose audit trail fails closed', () => {
  it('performs requests while their records can be kept', async () => {
    const running = await start(`file: "${join(folder, 'audit.log')}", failClosed: true`);
    for (let count = 0; count < 200; count += 1) expect(await ask(running)).toBe('allowed');
    await running.app.stop();
    expect(recordsOf(await readFile(join(folder, 'audit.log'), 'utf8'))).toHaveLength(200);
  });

  it('neither asks the store nor issues credentials while the disk is full', async () => {
    const path = join(folder, 'audit.log');
    await symlink('/dev/full', path);
    const running = await start(`file: "${path}", failClosed: true`);
    const session = await assume(running.url, alice, 'admin');
    await expect.poll(() => running.logged.join('')).toContain('ENOSPC');
    const s3 = s3Client(running.url, session);
    const asked = running.seen.length;
    expect(await outcome(s3.send(new ListBucketsCommand({})))).toBe('ServiceUnavailable 503');
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe(
      'ServiceUnavailable 503',
    );
    const preflight = await fetch(`${running.url}/data/k`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(503);
    expect(await postForm(running.url, session, { key: 'k' })).toMatch(/^HTTP\/1\.1 503 /);
    const Delete = { Objects: [{ Key: 'a' }, { Key: 'b' }] };
    const deleting = s3.send(new DeleteObjectsCommand({ Bucket: 'data', Delete }));
    expect(await outcome(deleting)).toBe('ServiceUnavailable 503');
    expect(running.seen.length).toBe(asked);
    expect(await outcome(assume(running.url, alice, 'admin'))).toBe('ServiceUnavailable 503');
    expect(running.logged.join('')).toContain('"error_detail":"the audit record cannot be kept"');
    expect(running.logged.filter((line) => line.includes('"issued_access_key_id"'))).toHaveLength(1);
    await rm(path);
    await expect.poll(() => ask(running), { timeout: 10_000, interval: 250 }).toBe('allowed');
  });

  it('refuses when its queue is full, and performs requests again once there is room', async () => {
    collector.answerWith((response) => response.writeHead(503).end() && true);
    const running = await start(`${webhook()}, failClosed: true, maxQueuedBytes: 1048576`);
    let performed = 0;
    while ((await ask(running)) === 'allowed') performed += 1;
    expect(performed).toBeGreaterThan(100);
    expect(await counted(running, 'webhook', 'dropped')).toBe(0);
    collector.answerWith(undefined);
    await expect.poll(() => ask(running), { timeout: 40_000, interval: 250 }).toBe('allowed');
    await expect.poll(() => collector.records.length).toBeGreaterThanOrEqual(performed);
  }, 60_000);

  it('leaves strangers no more than half of the room', async () => {
    collector.answerWith((response) => response.writeHead(503).end() && true);
    const running = await start(`${webhook()}, failClosed: true, maxQueuedBytes: 1048576`);
    const flood = async (): Promise<void> => {
      for (let count = 0; count < 100; count += 1) await (await fetch(`${running.url}/data/${count}`)).text();
    };
    while ((await counted(running, 'webhook', 'dropped')) === 0)
      await Promise.all(Array.from({ length: 8 }, flood));
    expect(await ask(running)).toBe('allowed');
  }, 60_000);
});
