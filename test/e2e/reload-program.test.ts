import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Program, startProgram } from '../support/program.ts';
import { outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { account, alice, bob } from '../support/sidecar.ts';

let one: Program;
/** The file at the start: bob may do nothing. */
let initial: string;

beforeAll(async () => {
  one = await startProgram();
  initial = await readFile(one.configurationFile, 'utf8');
  await s3Client(one.url, alice).send(new CreateBucketCommand({ Bucket: 'data' }));
}, 120_000);
afterAll(() => one.stop());

afterEach(async () => {
  const { successes } = await counted();
  await rm(one.configurationFile, { force: true });
  await writeFile(one.configurationFile, initial);
  process.kill(one.pid, 'SIGHUP');
  await expect.poll(async () => (await counted()).successes, patience).toBeGreaterThan(successes);
});

const put = (user: SdkCredentials): Promise<string> =>
  outcome(s3Client(one.url, user).send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })));

/** The file with rights for bob. */
function withRights(): string {
  const policy =
    '{ All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }';
  const changed = initial.replace('secretAccessKey: { env: BOB } }]', `$&\n      inlinePolicies: ${policy}`);
  expect(changed).not.toBe(initial);
  return changed;
}

async function reloadWith(text: string): Promise<void> {
  await writeFile(one.configurationFile, text);
  process.kill(one.pid, 'SIGHUP');
}

/** The lines about configurations that have been logged after the first `from` characters of the output. */
const lines = (from: number): Record<string, unknown>[] =>
  one
    .output()
    .slice(from)
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ component }) => component === 'config');

async function counted(): Promise<{ successes: number; failures: number; isLastSuccessful: number }> {
  const count = async (outcomeOfReload: string): Promise<number> =>
    (await one.metric(`sts_sidecar_config_reloads_total{outcome="${outcomeOfReload}"}`)) || 0;
  return {
    successes: await count('success'),
    failures: await count('failure'),
    isLastSuccessful: await one.metric('sts_sidecar_config_last_reload_successful'),
  };
}

const patience = { timeout: 20_000 };

describe('a changed configuration file', () => {
  it('takes effect at SIGHUP, and the process goes on', async () => {
    const from = one.output().length;
    expect(await put(bob)).toBe('AccessDenied 403');
    await reloadWith(withRights());
    await expect.poll(() => put(bob), patience).toBe('allowed');
    expect(one.isRunning()).toBe(true);
    expect(lines(from)).toContainEqual(
      expect.objectContaining({ level: 'info', msg: 'configuration reloaded', changed: ['directory'] }),
    );
  });

  it('takes effect without a signal, also when a symbolic link is swapped, as in a ConfigMap', async () => {
    const from = one.output().length;
    const folder = dirname(one.configurationFile);
    await mkdir(join(folder, 'next'), { recursive: true });
    await writeFile(join(folder, 'next/sidecar.yaml'), withRights());
    await symlink('next/sidecar.yaml', join(folder, 'swapped'));
    await rename(join(folder, 'swapped'), one.configurationFile);
    await expect.poll(() => put(bob), patience).toBe('allowed');
    expect(lines(from)).toContainEqual(expect.objectContaining({ trigger: 'file' }));
  });

  it('takes effect when only a file that it names has changed', async () => {
    const secret = 'another-secret-of-bob';
    const key = join(dirname(one.configurationFile), 'bob.key');
    await writeFile(key, bob.secretAccessKey);
    await reloadWith(withRights().replace('{ env: BOB }', '{ file: bob.key }'));
    await expect.poll(() => put(bob), patience).toBe('allowed');
    await writeFile(key, secret);
    await expect.poll(() => put(bob), patience).toBe('SignatureDoesNotMatch 403');
    expect(await put({ ...bob, secretAccessKey: secret })).toBe('allowed');
    expect(one.output()).not.toContain(secret);
  });

  it('changes nothing when it is invalid, and each problem is logged with its place', async () => {
    const from = one.output().length;
    const { failures } = await counted();
    await reloadWith(initial.replace('name: alice', 'nam: alice'));
    await expect.poll(counted, patience).toMatchObject({ failures: failures + 1, isLastSuccessful: 0 });
    expect(await put(alice)).toBe('allowed');
    expect(lines(from).filter(({ msg }) => msg === 'problem')).toContainEqual(
      expect.objectContaining({
        level: 'error',
        problem: expect.stringMatching(/sidecar\.yaml:\d+:\d+ directory\.users\[0\]/),
      }),
    );
    await reloadWith(initial);
    await expect.poll(counted, patience).toMatchObject({ isLastSuccessful: 1 });
  });

  it.each([
    ['cut in the middle', (text: string) => text.slice(0, text.lastIndexOf('}'))],
    ['empty', () => ''],
    ['no YAML', () => '{{{'],
    ['of another account', (text: string) => text.replaceAll(account, '210987654321')],
  ])('changes nothing when it is %s', async (_, broken) => {
    const { failures } = await counted();
    await reloadWith(broken(withRights()));
    await expect.poll(async () => (await counted()).failures, patience).toBeGreaterThan(failures);
    expect(await put(alice)).toBe('allowed');
    expect(await put(bob)).toBe('AccessDenied 403');
  });

  it('changes nothing when it is gone, and is read when it is there again', async () => {
    const { failures } = await counted();
    await rm(one.configurationFile);
    process.kill(one.pid, 'SIGHUP');
    await expect.poll(async () => (await counted()).failures, patience).toBeGreaterThan(failures);
    expect(await put(alice)).toBe('allowed');
    await writeFile(one.configurationFile, withRights());
    await expect.poll(() => put(bob), patience).toBe('allowed');
  });

  it('is taken up with its former size after it was gone', async () => {
    const large = `${withRights()}\n${'# a line of many\n'.repeat(20_000)}`;
    const grown = async (text: string): Promise<void> => {
      await writeFile(one.configurationFile, text);
      const { successes } = await counted();
      process.kill(one.pid, 'SIGHUP');
      await expect.poll(async () => (await counted()).successes, patience).toBeGreaterThan(successes);
    };
    // In two steps, because a file may not grow at will.
    await grown(large.slice(0, 200_000));
    await grown(large);
    const { failures } = await counted();
    await rm(one.configurationFile);
    process.kill(one.pid, 'SIGHUP');
    await expect.poll(async () => (await counted()).failures, patience).toBeGreaterThan(failures);
    await grown(large);
    expect(await put(bob)).toBe('allowed');
  });

  it('is not read while it is being written', async () => {
    const { successes } = await counted();
    for (let part = 1; part <= 12; part += 1) {
      await writeFile(one.configurationFile, `${withRights()}\n# ${'written '.repeat(part)}`);
      expect(await put(bob)).toBe('AccessDenied 403');
      await setTimeout(400);
    }
    await writeFile(one.configurationFile, `${initial}\n# whole`);
    await expect.poll(async () => (await counted()).successes, patience).toBe(successes + 1);
    expect(await put(bob)).toBe('AccessDenied 403');
  });

  it('names the settings that need a restart, and takes over all others', async () => {
    const from = one.output().length;
    const text = withRights()
      .replace('limits: {}', 'limits: { maxInFlight: 7 }')
      .replace('log: { requests: false }', 'log: { requests: true }');
    await reloadWith(text);
    await expect.poll(() => put(bob), patience).toBe('allowed');
    expect(lines(from)).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'settings take effect after a restart',
        settings: ['server.limits', 'log'],
      }),
    );
  });

  it('loses no request while it changes again and again', async () => {
    let isOver = false;
    const client = s3Client(one.url, alice);
    const caller = async (name: number): Promise<readonly string[]> => {
      const failed: string[] = [];
      for (let count = 0; !isOver; count += 1) {
        const object = { Bucket: 'data', Key: `${name}-${count}` };
        const stored = await outcome(client.send(new PutObjectCommand({ ...object, Body: 'x' })));
        const reading = client
          .send(new GetObjectCommand(object))
          .then(({ Body }) => Body?.transformToString());
        const read = await outcome(reading);
        for (const result of [stored, read]) if (result !== 'allowed') failed.push(result);
      }
      return failed;
    };
    const callers = [1, 2].map(caller);
    const { successes } = await counted();
    for (let round = 1; round <= 5; round += 1) {
      await reloadWith(round % 2 === 1 ? withRights() : initial);
      await expect
        .poll(async () => (await counted()).successes, patience)
        .toBeGreaterThanOrEqual(successes + round);
    }
    isOver = true;
    expect((await Promise.all(callers)).flat()).toEqual([]);
  });
});

it('a SIGHUP without a change reloads, and changes nothing', async () => {
  const from = one.output().length;
  process.kill(one.pid, 'SIGHUP');
  await expect
    .poll(() => lines(from), patience)
    .toContainEqual(
      expect.objectContaining({ msg: 'configuration reloaded', trigger: 'signal', changed: [] }),
    );
  expect(await put(alice)).toBe('allowed');
});
