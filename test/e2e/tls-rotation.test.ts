import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority, type Issued } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';
import { secureS3, secureSocket } from '../support/tls-clients.ts';

const authority = createAuthority();
const tls = { ca: authority.certPem };
const issue = (): Issued => authority.issue({ names: ['localhost'] });
const initial = issue();
let one: Program;
let url: string;

beforeAll(async () => {
  one = await startProgram({
    server: 'tls: { certFile: tls.crt, keyFile: tls.key }',
    files: { 'tls.crt': initial.certPem, 'tls.key': initial.keyPem },
  });
  url = one.url.replace('127.0.0.1', 'localhost');
  await secureS3(url, alice, tls).send(new CreateBucketCommand({ Bucket: 'data' }));
}, 120_000);
afterAll(() => one.stop());

const patience = { timeout: 30_000 };

async function place(name: 'tls.crt' | 'tls.key', content: string): Promise<void> {
  await writeFile(join(dirname(one.configurationFile), name), content);
}

/** The certificate that a new connection is shown, PEM. */
async function certificateShown(): Promise<string> {
  const socket = await secureSocket(url, tls);
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw.toString('base64');
}

const bare = ({ certPem }: Issued): string => certPem.replace(/-----[A-Z ]+-----|\n/g, '');

const reloads = async (outcome: string): Promise<number> =>
  (await one.metric(`sts_sidecar_config_reloads_total{outcome="${outcome}"}`)) || 0;

it('takes new certificates into use under load, without a signal and without losing a request', async () => {
  const s3 = secureS3(url, alice, tls);
  let isOver = false;
  let requests = 0;
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; !isOver; round += 1) {
      // Every few requests a connection of its own, whose handshake may meet the change.
      const client = round % 3 === 0 ? secureS3(url, alice, tls) : s3;
      const Key = `k${worker}`;
      await client.send(new PutObjectCommand({ Bucket: 'data', Key, Body: `${round}`.repeat(1000) }));
      const got = await client.send(new GetObjectCommand({ Bucket: 'data', Key }));
      expect(await got.Body?.transformToString()).toBe(`${round}`.repeat(1000));
      if (client !== s3) client.destroy();
      requests += 2;
    }
  };
  const workers = [0, 1, 2, 3].map(work);
  const kept = await secureSocket(url, tls);
  for (const next of [issue(), issue()]) {
    const before = requests;
    await place('tls.key', next.keyPem);
    await place('tls.crt', next.certPem);
    await expect.poll(certificateShown, patience).toBe(bare(next));
    await expect.poll(() => requests, patience).toBeGreaterThan(before + 20);
  }
  isOver = true;
  await Promise.all(workers);
  const answer = new Promise<string>((resolve) =>
    kept.once('data', (bytes: Buffer) => resolve(String(bytes))),
  );
  kept.write('GET /data/k HTTP/1.1\r\nhost: localhost\r\n\r\n');
  expect(await answer).toMatch(/^HTTP\/1.1 403/);
  kept.destroy();
}, 90_000);

it('keeps the last pair that fits, says so, and recovers', async () => {
  const shown = await certificateShown();
  const next = issue();
  const failures = await reloads('failure');
  await place('tls.crt', next.certPem);
  await expect.poll(() => reloads('failure'), patience).toBeGreaterThan(failures);
  expect(await one.metric('sts_sidecar_config_last_reload_successful')).toBe(0);
  expect(one.output()).toContain('is not the key of the first certificate');
  expect(await certificateShown()).toBe(shown);
  await place('tls.crt', 'nonsense');
  await expect.poll(() => reloads('failure'), patience).toBeGreaterThan(failures + 1);
  expect(await certificateShown()).toBe(shown);
  await place('tls.crt', next.certPem);
  await place('tls.key', next.keyPem);
  await expect.poll(certificateShown, patience).toBe(bare(next));
  expect(await one.metric('sts_sidecar_config_last_reload_successful')).toBe(1);
  expect(one.output()).not.toContain('PRIVATE KEY');
}, 90_000);

it('shows when the new certificate expires', async () => {
  const series = 'sts_sidecar_tls_certificate_expiry_timestamp_seconds{listener="s3"}';
  const before = await one.metric(series);
  const longer = authority.issue({ names: ['localhost'], to: new Date(Date.now() + 30 * 86_400_000) });
  await place('tls.key', longer.keyPem);
  await place('tls.crt', longer.certPem);
  await expect.poll(() => one.metric(series), patience).toBeGreaterThan(before + 15 * 86_400);
}, 60_000);
