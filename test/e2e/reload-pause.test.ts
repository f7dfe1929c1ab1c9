import { readFile, writeFile } from 'node:fs/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { type Program, programDirectory, startProgram } from '../support/program.ts';
import { outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, bob } from '../support/sidecar.ts';

/** A megabyte of YAML, which takes far more than a second to read. */
function manyRoles(): string {
  const policy = (role: number, index: number): string =>
    `P${index}: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::b-${role}-${index}/*" }] }`;
  const roles = Array.from({ length: 600 }, (_, role) => {
    const policies = Array.from({ length: 10 }, (_unused, index) => policy(role, index));
    return `    - name: role-${role}
      inlinePolicies: { ${policies.join(', ')} }
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] }
`;
  });
  return `${programDirectory}${roles.join('')}`;
}

const withRights =
  'secretAccessKey: { env: BOB } }]\n      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }';

async function large(): Promise<Program> {
  const program = await startProgram({ heapMiB: 384, directory: manyRoles() });
  await s3Client(program.url, alice).send(new CreateBucketCommand({ Bucket: 'data' }));
  return program;
}

/** Gives bob rights in the file, and asks for a reload. Returns what the file held. */
async function reloadWithRights({ configurationFile, pid }: Program): Promise<string> {
  const text = await readFile(configurationFile, 'utf8');
  await writeFile(configurationFile, text.replace('secretAccessKey: { env: BOB } }]', withRights));
  process.kill(pid, 'SIGHUP');
  return text;
}

const put = (program: Program, user: SdkCredentials): Promise<string> =>
  outcome(s3Client(program.url, user).send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })));

const successes = async (program: Program): Promise<number> =>
  (await program.metric('sts_sidecar_config_reloads_total{outcome="success"}')) || 0;

const reloads = (program: Program): string[] =>
  program.output().match(/"changed":\[.*\],"msg":"configuration reloaded"/g) ?? [];

const patience = { timeout: 60_000 };

describe('while a large configuration is read again', () => {
  it('requests are answered', async () => {
    const program = await large();
    try {
      expect(await put(program, alice)).toBe('allowed');
      const s3 = s3Client(program.url, alice);
      await reloadWithRights(program);
      let answers = 0;
      while (reloads(program).length === 0) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }));
        expect(await Body?.transformToString()).toBe('x');
        answers += 1;
      }
      // Read in one turn of the event loop, it lets one or two be answered, before it and after it.
      expect(answers).toBeGreaterThan(20);
      expect(reloads(program)).toEqual(['"changed":["directory"],"msg":"configuration reloaded"']);
      expect(await put(program, bob)).toBe('allowed');
    } finally {
      await program.stop();
    }
  }, 120_000);

  it('nothing of it is taken over when the file changes meanwhile, and the change is found', async () => {
    const program = await large();
    try {
      const text = await reloadWithRights(program);
      // The signal is handled before a connection that was opened after it.
      expect(await put(program, bob)).toBe('AccessDenied 403');
      await writeFile(program.configurationFile, text);
      while (reloads(program).length === 0) expect(await put(program, bob)).toBe('AccessDenied 403');
      expect(reloads(program)).toEqual(['"changed":[],"msg":"configuration reloaded"']);
      expect(await put(program, bob)).toBe('AccessDenied 403');
    } finally {
      await program.stop();
    }
  }, 120_000);

  it('signals lead to one more reload after it', async () => {
    const program = await large();
    try {
      for (let count = 0; count < 4; count += 1) {
        process.kill(program.pid, 'SIGHUP');
        // The signal is handled before a connection that was opened after it.
        await program.metrics();
      }
      expect(await successes(program)).toBe(0);
      await expect.poll(() => successes(program), patience).toBe(2);
      for (let count = 0; count < 20; count += 1) expect(await put(program, alice)).toBe('allowed');
      expect(await successes(program)).toBe(2);
    } finally {
      await program.stop();
    }
  }, 120_000);

  it('SIGTERM ends the process as ever', async () => {
    const program = await large();
    try {
      process.kill(program.pid, 'SIGHUP');
      await program.metrics();
      process.kill(program.pid, 'SIGTERM');
      await expect.poll(() => program.exitCode(), patience).toBe(0);
      expect(program.output()).toContain('draining');
    } finally {
      await program.stop();
    }
  }, 120_000);
});

it('a configuration that takes more heap than its size promises ends its thread, and not the process', async () => {
  const program = await startProgram({ heapMiB: 80 });
  try {
    const s3 = s3Client(program.url, alice);
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    const text = await readFile(program.configurationFile, 'utf8');
    // Nearly as many values as a file may have, in few kilobytes, of a file that is long enough for the thread.
    const tens = (name: string, of: string): string =>
      `x-${name}: &${name} [${Array.from({ length: 10 }, () => of).join(', ')}]\n`;
    const aliases = ['{}', '*a', '*b', '*c', '*d'].map((of, index) => tens('abcde'.charAt(index), of));
    const last = `x-f: [${Array.from({ length: 7 }, () => '*e').join(', ')}]\n`;
    await writeFile(program.configurationFile, `${text}\n${aliases.join('')}${last}#${'-'.repeat(40_000)}\n`);
    process.kill(program.pid, 'SIGHUP');
    await expect
      .poll(() => program.output(), patience)
      .toContain('reading the configuration again takes more heap than is free');
    expect(program.isRunning()).toBe(true);
    expect(await put(program, alice)).toBe('allowed');
    expect(await put(program, bob)).toBe('AccessDenied 403');
    await writeFile(program.configurationFile, text.replace('secretAccessKey: { env: BOB } }]', withRights));
    await expect.poll(() => put(program, bob), patience).toBe('allowed');
    // Said once, and not at each attempt.
    expect(await program.metric('sts_sidecar_config_reloads_total{outcome="failure"}')).toBe(1);
  } finally {
    await program.stop();
  }
}, 120_000);
