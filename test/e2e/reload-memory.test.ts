import { readFile, writeFile } from 'node:fs/promises';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { chartLimits } from '../support/hostile/under-attack.ts';
import { programDirectory, startProgram } from '../support/program.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';

/** Nearly a megabyte of YAML: a small heap has room for one configuration of that size, and not for two and what is read. */
function manyPolicies(count = 300): string {
  const statement = (policy: number, index: number): string =>
    `{ Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::b-${policy}-${index}/*", Condition: { StringLike: { "aws:username": "u*" } } }`;
  const policies = Array.from({ length: count }, (_, policy) => {
    const statements = Array.from({ length: 20 }, (_unused, index) => statement(policy, index));
    return `    P${policy}: { Version: "2012-10-17", Statement: [${statements.join(', ')}] }\n`;
  });
  return `  policies:\n${policies.join('')}`;
}

it('a configuration for which memory does not suffice waits, and the one in force goes on', async () => {
  const program = await startProgram({ heapMiB: 112, directory: `${programDirectory}${manyPolicies()}` });
  try {
    const s3 = s3Client(program.url, alice);
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    for (let count = 0; count < 3; count += 1) {
      process.kill(program.pid, 'SIGHUP');
      await expect
        .poll(() => program.output())
        .toMatch(/"problem":"reading the configuration again may take \d+ MiB/);
      expect(await outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })))).toBe(
        'allowed',
      );
    }
    expect(program.isRunning()).toBe(true);
    expect(await program.metric('sts_sidecar_config_last_reload_successful')).toBe(0);
    // Said once, and not at each attempt.
    expect(await program.metric('sts_sidecar_config_reloads_total{outcome="failure"}')).toBe(1);
  } finally {
    await program.stop();
  }
}, 120_000);

it('resets no upload for a configuration for which there can never be room, and says so at the start', async () => {
  const directory = `${programDirectory}${manyPolicies()}`;
  const program = await startProgram({ heapMiB: 128, limits: chartLimits, directory });
  const swarm = new Swarm(program.url);
  try {
    expect(program.output()).toMatch(
      /warning: reading this configuration again may take \d+ MiB of heap, and beside it \d+ MiB are free: a change takes effect at a restart/,
    );
    await s3Client(program.url, alice).send(new CreateBucketCommand({ Bucket: 'data' }));
    const upload = { method: 'PUT', path: '/data/slow', headers: { 'content-length': '1000000' } };
    const head = await signedHead(program.url, alice, upload);
    for (let count = 0; count < 150; count += 1) swarm.open(head + 'x'.repeat(2_000));
    await expect.poll(() => program.metric('sts_sidecar_requests_in_flight{listener="s3"}')).toBe(150);
    for (let count = 0; count < 4; count += 1) {
      process.kill(program.pid, 'SIGHUP');
      // The signal is handled before a connection that was opened after it.
      for (let asked = 0; asked < 5; asked += 1) await program.metrics();
    }
    await expect.poll(() => program.output()).toContain('reading the configuration again may take');
    expect(program.output()).not.toContain('reset');
    expect(swarm.openCount).toBe(150);
  } finally {
    swarm.close();
    await program.stop();
  }
}, 120_000);

it('uploads that never end do not keep away a configuration that takes their caller its rights', async () => {
  const directory = `${programDirectory}${manyPolicies(400)}`;
  const program = await startProgram({ heapMiB: 192, limits: chartLimits, directory });
  const swarm = new Swarm(program.url);
  try {
    const s3 = s3Client(program.url, alice);
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    const long = Array.from({ length: 240 }, (_, index) => `x-${index}: ${'a'.repeat(115)}\r\n`).join('');
    const upload = { method: 'PUT', path: '/data/slow', headers: { 'content-length': '1000000' } };
    const head = await signedHead(program.url, alice, upload, long);
    for (let count = 0; count < 300; count += 1) swarm.open(head + 'x'.repeat(2_000));
    const inFlight = 'sts_sidecar_requests_in_flight{listener="s3"}';
    await expect.poll(() => program.metric(inFlight)).toBe(300);
    const before = await readFile(program.configurationFile, 'utf8');
    const after = before.replace('Action: ["s3:*", "sts:*"]', 'Action: "sts:*"');
    expect(after).not.toBe(before);
    await writeFile(program.configurationFile, after.replaceAll('b-', 'c-'));
    const list = (): Promise<string> => outcome(s3.send(new ListObjectsV2Command({ Bucket: 'data' })));
    await expect.poll(list, { timeout: 90_000, interval: 500 }).toMatch(/^AccessDenied/);
    expect(swarm.openCount).toBe(0);
    expect(program.output()).toContain('"which":"of the busiest callers","requests":300');
  } finally {
    swarm.close();
    await program.stop();
  }
}, 120_000);
