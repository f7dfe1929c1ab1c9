import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';
import { outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { account, alice, bob } from '../support/sidecar.ts';

beforeAll(build, 120_000);

let program: Program | undefined;
afterEach(async () => {
  await program?.stop();
  program = undefined;
});

async function started(further = ''): Promise<Program> {
  program = await startProgram({ further });
  await s3Client(program.url, alice).send(new CreateBucketCommand({ Bucket: 'data' }));
  return program;
}

const put = ({ url }: Program, user: SdkCredentials, key = 'k'): Promise<string> =>
  outcome(s3Client(url, user).send(new PutObjectCommand({ Bucket: 'data', Key: key, Body: 'x' })));

/** The file with rights for bob, who has none before. */
async function withRights({ configurationFile }: Program): Promise<string> {
  const text = await readFile(configurationFile, 'utf8');
  const policy =
    '{ All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }';
  const changed = text.replace('secretAccessKey: { env: BOB } }]', `$&\n      inlinePolicies: ${policy}`);
  expect(changed).not.toBe(text);
  return changed;
}

const lines = ({ output }: Program): Record<string, unknown>[] =>
  output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ component }) => component === 'config');

const reloads = (one: Program): Promise<number> =>
  one.metric('sts_sidecar_config_reloads_total{outcome="success"}');

const counted = async (one: Program): Promise<readonly number[]> => [
  await reloads(one),
  await one.metric('sts_sidecar_config_reloads_total{outcome="failure"}'),
  await one.metric('sts_sidecar_config_last_reload_successful'),
];

const patience = { timeout: 20_000 };

describe('a changed configuration file', () => {
  it('takes effect at SIGHUP, and the process goes on', async () => {
    const one = await started();
    expect(await put(one, bob)).toBe('AccessDenied 403');
    await writeFile(one.configurationFile, await withRights(one));
    process.kill(one.pid, 'SIGHUP');
    await expect.poll(() => put(one, bob), patience).toBe('allowed');
    expect(one.isRunning()).toBe(true);
    expect(lines(one)).toContainEqual(
      expect.objectContaining({ level: 'info', msg: 'configuration reloaded', changed: ['directory'] }),
    );
  });

  it('takes effect without a signal', async () => {
    const one = await started();
    await writeFile(one.configurationFile, await withRights(one));
    await expect.poll(() => put(one, bob), patience).toBe('allowed');
    expect(lines(one)).toContainEqual(expect.objectContaining({ trigger: 'file' }));
    expect(await counted(one)).toEqual([1, Number.NaN, 1]);
  });

  it('takes effect when its folder is swapped by a symbolic link, as a ConfigMap is', async () => {
    const one = await started();
    const folder = dirname(one.configurationFile);
    const text = await withRights(one);
    await mkdir(join(folder, 'next'));
    await writeFile(join(folder, 'next/sidecar.yaml'), text);
    await symlink('next/sidecar.yaml', join(folder, 'swapped'));
    await rename(join(folder, 'swapped'), one.configurationFile);
    await expect.poll(() => put(one, bob), patience).toBe('allowed');
  });

  it('takes effect when only a file that it names has changed', async () => {
    const one = await started();
    const folder = dirname(one.configurationFile);
    const key = join(folder, 'bob.key');
    await writeFile(key, bob.secretAccessKey);
    const text = (await withRights(one)).replace('{ env: BOB }', '{ file: bob.key }');
    await writeFile(one.configurationFile, text);
    await expect.poll(() => put(one, bob), patience).toBe('allowed');
    await writeFile(key, 'another-secret-of-bob');
    await expect.poll(() => put(one, bob), patience).toBe('SignatureDoesNotMatch 403');
    const changed = { ...bob, secretAccessKey: 'another-secret-of-bob' };
    expect(await put(one, changed)).toBe('allowed');
    expect(one.output()).not.toContain('another-secret-of-bob');
  });

  it('changes nothing when it is invalid, and takes effect once it is valid again', async () => {
    const one = await started();
    const before = await readFile(one.configurationFile, 'utf8');
    await writeFile(one.configurationFile, before.replace('name: alice', 'nam: alice'));
    process.kill(one.pid, 'SIGHUP');
    await expect.poll(() => counted(one), patience).toEqual([Number.NaN, 1, 0]);
    expect(await put(one, alice)).toBe('allowed');
    const problems = lines(one).filter(({ msg }) => msg === 'problem');
    expect(problems[0]).toMatchObject({
      level: 'error',
      problem: expect.stringMatching(/sidecar\.yaml:\d+:\d+ directory\.users\[0\]/),
    });
    await writeFile(one.configurationFile, before);
    process.kill(one.pid, 'SIGHUP');
    await expect.poll(async () => (await counted(one))[2], patience).toBe(1);
  });

  it.each([
    ['cut in the middle', (text: string) => text.slice(0, text.lastIndexOf('}'))],
    ['empty', () => ''],
    ['no YAML', () => '{{{'],
  ])('changes nothing when it is %s', async (_, broken) => {
    const one = await started();
    const before = await readFile(one.configurationFile, 'utf8');
    await writeFile(one.configurationFile, broken(before));
    await expect.poll(async () => (await counted(one))[2], patience).toBe(0);
    expect(await put(one, alice)).toBe('allowed');
    expect(await put(one, bob)).toBe('AccessDenied 403');
  });

  it('is not read while it is being written', async () => {
    const one = await started();
    const before = await readFile(one.configurationFile, 'utf8');
    const after = await withRights(one);
    for (let part = 1; part <= 12; part += 1) {
      await writeFile(one.configurationFile, `${after}\n# ${'written '.repeat(part)}`);
      expect(await put(one, bob)).toBe('AccessDenied 403');
      await setTimeout(400);
    }
    await writeFile(one.configurationFile, `${before}\n# whole`);
    await expect.poll(async () => (await counted(one))[0], patience).toBe(1);
    expect(await put(one, bob)).toBe('AccessDenied 403');
  });

  it('changes nothing when it is gone, and is read when it is there again', async () => {
    const one = await started();
    const text = await withRights(one);
    await rm(one.configurationFile);
    await expect.poll(async () => (await counted(one))[2], patience).toBe(0);
    expect(await put(one, alice)).toBe('allowed');
    await writeFile(one.configurationFile, text);
    await expect.poll(() => put(one, bob), patience).toBe('allowed');
  });

  it('names the settings that need a restart, and takes over all others', async () => {
    const one = await started();
    const text = (await withRights(one))
      .replace('limits: {}', 'limits: { maxInFlight: 7 }')
      .replace('log: { requests: false }', 'log: { requests: true }');
    await writeFile(one.configurationFile, text);
    process.kill(one.pid, 'SIGHUP');
    await expect.poll(() => put(one, bob), patience).toBe('allowed');
    expect(lines(one)).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'settings take effect after a restart',
        settings: ['server.limits', 'log'],
      }),
    );
  });

  it('is refused with another account', async () => {
    const one = await started();
    const text = (await withRights(one)).replaceAll(account, '210987654321');
    await writeFile(one.configurationFile, text);
    await expect.poll(async () => (await counted(one))[2], patience).toBe(0);
    expect(await put(one, bob)).toBe('AccessDenied 403');
  });

  it('loses no request while it changes again and again', async () => {
    const one = await started();
    const before = await readFile(one.configurationFile, 'utf8');
    const after = await withRights(one);
    let isOver = false;
    const client = s3Client(one.url, alice);
    const caller = async (name: number): Promise<readonly string[]> => {
      const failed: string[] = [];
      for (let count = 0; !isOver; count += 1) {
        const object = { Bucket: 'data', Key: `${name}-${count}` };
        const stored = await outcome(client.send(new PutObjectCommand({ ...object, Body: 'x' })));
        const read = await outcome(client.send(new GetObjectCommand(object)));
        for (const result of [stored, read]) if (result !== 'allowed') failed.push(result);
      }
      return failed;
    };
    const callers = [1, 2].map(caller);
    for (let round = 1; round <= 3; round += 1) {
      await writeFile(one.configurationFile, round % 2 === 1 ? after : before);
      process.kill(one.pid, 'SIGHUP');
      await expect.poll(() => reloads(one), patience).toBeGreaterThanOrEqual(round);
    }
    isOver = true;
    expect((await Promise.all(callers)).flat()).toEqual([]);
  });
});

it('a SIGHUP without a change reloads, and changes nothing', async () => {
  const one = await started();
  process.kill(one.pid, 'SIGHUP');
  await expect.poll(async () => (await counted(one))[0], patience).toBe(1);
  expect(lines(one)).toContainEqual(
    expect.objectContaining({ msg: 'configuration reloaded', trigger: 'signal', changed: [] }),
  );
  expect(await put(one, alice)).toBe('allowed');
});
