import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { file, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const entry = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const odd = 'x\u009b2K\u007f\u202e\u{e0041}y';
const before = file('before.yaml', policyConfiguration);
const after = file('after.yaml', policyConfiguration.replace('s3:::data/secret/*', `s3:::data/${odd}/*`));

function start(...words: readonly string[]) {
  return spawn(process.execPath, [entry, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('what a terminal acts on', () => {
  it('is escaped where a command shows a value of a policy', async () => {
    const shown = await text(start('config', 'diff', before, after).stdout);
    expect(shown).toContain('x\\u009b2K\\u007f\\u202e\\udb40\\udc41y');
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });

  it('is escaped in JSON, which stays the same', async () => {
    const shown = await text(start('config', 'diff', '--json', before, after).stdout);
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(JSON.stringify(JSON.parse(shown))).toContain(odd);
  });

  it('is escaped in an error', async () => {
    const shown = await text(start('config', 'check', odd).stderr);
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });
});

it('a command whose reader leaves ends as it would have ended', async () => {
  const child = start('config', 'diff', '--json', before, after);
  child.stdout.destroy();
  const messages = text(child.stderr);
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(await messages).not.toMatch(/EPIPE|at .*\.js/);
});

it('a command whose output cannot be written fails', async () => {
  const full = await open('/dev/full', 'w');
  const child = spawn(process.execPath, [entry, 'keys', 'generate'], {
    stdio: ['ignore', full.fd, 'ignore'],
  });
  expect(await once(child, 'exit')).toEqual([1, null]);
  await full.close();
});
