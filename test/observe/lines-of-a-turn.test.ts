import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { LinesOfATurn } from '../../src/observe/lines-of-a-turn.ts';
import { build } from '../support/program.ts';

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(): { lines: LinesOfATurn; written: string[] } {
  const written: string[] = [];
  return { lines: new LinesOfATurn({ write: (text) => written.push(text) }), written };
}

it('lines of one turn are written together, those of the next apart', async () => {
  const { lines, written } = open();
  lines.write('1\n');
  lines.write('2\n');
  expect(written).toEqual([]);
  await endOfTurn();
  expect(written).toEqual(['1\n2\n']);
  lines.write('3\n');
  await endOfTurn();
  expect(written).toEqual(['1\n2\n', '3\n']);
});

it('a long turn is written in pieces, and nothing twice', async () => {
  const { lines, written } = open();
  const line = `${'x'.repeat(999)}\n`;
  for (let index = 0; index < 200; index += 1) lines.write(line);
  expect(written.length).toBeGreaterThan(1);
  await endOfTurn();
  expect(written.join('')).toBe(line.repeat(200));
});

it('a full disk loses lines and ends nothing', async () => {
  const written: string[] = [];
  let isFull = true;
  const lines = new LinesOfATurn({
    write: (text) => {
      if (isFull) throw new Error('ENOSPC');
      written.push(text);
    },
  });
  lines.write('1\n');
  await endOfTurn();
  isFull = false;
  lines.write('2\n');
  await endOfTurn();
  expect(written).toEqual(['2\n']);
});

it('a flush before the end of the turn loses nothing, and leaves nothing to write', async () => {
  const { lines, written } = open();
  lines.write('1\n');
  lines.flush();
  lines.flush();
  expect(written).toEqual(['1\n']);
  await endOfTurn();
  expect(written).toEqual(['1\n']);
});

it.each(['process.exit(0)', "throw new Error('of a test')"])(
  'a line that is logged right before %s is on standard output',
  async (end) => {
    await build();
    const log = new URL('../../dist/observe/log.js', import.meta.url).href;
    const program = `import { Log } from '${log}';
      new Log({ level: 'info', requests: true, objectKeys: 'full' }).info('test', 'the last line');
      ${end};`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout.toString()).toMatch(/^\{.*"msg":"the last line"\}\n$/);
  },
);
