import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SinkError } from '../../src/audit/destination.ts';
import { FileDestination } from '../../src/audit/file-destination.ts';

let folder: string;
let path: string;
let file: FileDestination;
let stuck: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-file-'));
  path = join(folder, 'audit.log');
  stuck = [];
});
afterEach(async () => {
  await file.close();
  await rm(folder, { recursive: true });
});

const opened = async (maxBytes = 1_000, count = 3): Promise<FileDestination> => {
  file = new FileDestination({ path, maxBytes, count }, (cause) => stuck.push(cause));
  await file.open();
  return file;
};
const text = (name = 'audit.log'): Promise<string> => readFile(join(folder, name), 'utf8');
const lineOf = (character: string, bytes = 100): string => `${character.repeat(bytes - 1)}\n`;

describe('an audit file', () => {
  it('is made where there is none, for its owner and group', async () => {
    await opened();
    expect((await stat(path)).mode & 0o777 & ~0o640).toBe(0);
    expect(await text()).toBe('');
  });

  it('is appended to', async () => {
    await writeFile(path, 'before\n');
    await (await opened()).deliver(['one\n', 'two\n']);
    expect(await text()).toBe('before\none\ntwo\n');
  });

  it('is rotated before it would grow too long, and keeps no more files than it may', async () => {
    await opened(250, 3);
    for (const name of 'abcdefghi') await file.deliver([lineOf(name)]);
    expect((await readdir(folder)).sort()).toEqual(['audit.log', 'audit.log.1', 'audit.log.2']);
    expect(await text()).toBe(lineOf('i'));
    expect(await text('audit.log.1')).toBe(lineOf('g') + lineOf('h'));
    expect(await text('audit.log.2')).toBe(lineOf('e') + lineOf('f'));
  });

  it('grows on where it cannot be rotated, and says so once', async () => {
    await writeFile(join(folder, 'audit.log.1'), 'older\n');
    await opened(150, 3);
    // Nothing can be renamed to it.
    await mkdir(join(folder, 'audit.log.0', 'in-the-way'), { recursive: true });
    await mkdir(join(folder, 'audit.log.2', 'in-the-way'), { recursive: true });
    for (const name of 'abcd') await file.deliver([lineOf(name)]);
    expect(await text()).toBe([...'abcd'].map((name) => lineOf(name)).join(''));
    expect(await text('audit.log.1')).toBe('older\n');
    expect(stuck).toHaveLength(1);
    await rm(join(folder, 'audit.log.0'), { recursive: true });
    await rm(join(folder, 'audit.log.2'), { recursive: true });
    await file.deliver([lineOf('e')]);
    expect(await text()).toBe(lineOf('e'));
    expect(await text('audit.log.2')).toBe('older\n');
  });

  it('finishes a rotation in the middle of which a program was killed', async () => {
    await writeFile(join(folder, 'audit.log.0'), 'left\n');
    await opened(150, 3);
    for (const name of 'ab') await file.deliver([lineOf(name)]);
    expect(await text('audit.log.2')).toBe('left\n');
    expect(await text('audit.log.1')).toBe(lineOf('a'));
  });

  it('that is a pipe without a reader is refused at once', async () => {
    execFileSync('mkfifo', [path]);
    await expect(opened()).rejects.toThrow('ENXIO');
  });

  it('begins anew when one file is all there may be', async () => {
    await opened(150, 1);
    for (const name of 'abc') await file.deliver([lineOf(name)]);
    expect(await readdir(folder)).toEqual(['audit.log']);
    expect(await text()).toBe(lineOf('c'));
  });

  it('counts what was in it before the program started', async () => {
    await writeFile(path, lineOf('x', 900));
    await (await opened(950)).deliver([lineOf('a')]);
    expect(await text('audit.log.1')).toBe(lineOf('x', 900));
    expect(await text()).toBe(lineOf('a'));
  });

  it.each([
    ['removed', () => rm(path)],
    ['renamed, as by logrotate', () => rename(path, join(folder, 'elsewhere'))],
  ])('is made again once it is %s', async (_, act) => {
    await (await opened()).deliver(['one\n']);
    await act();
    await file.deliver(['two\n']);
    expect(await text()).toBe('two\n');
  });

  it('goes on when its folder is there again', async () => {
    await (await opened()).deliver(['one\n']);
    await rename(folder, `${folder}-away`);
    await expect(file.deliver(['two\n'])).rejects.toThrow(/cannot be written to: ENOENT/);
    await rename(`${folder}-away`, folder);
    await file.deliver(['two\n']);
    expect(await text()).toBe('one\ntwo\n');
  });

  it('is refused at the start where it cannot be written', async () => {
    path = join(folder, 'missing', 'audit.log');
    const opening = opened();
    await expect(opening).rejects.toThrow(SinkError);
    await expect(opening).rejects.toThrow(`${JSON.stringify(path)} cannot be written to: ENOENT`);
  });

  it('says that the disk is full, and never rotates a device', async () => {
    await symlink('/dev/full', path);
    await opened(1_000);
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(file.deliver([lineOf('a', 2_000)])).rejects.toThrow('ENOSPC');
    expect(await readdir(folder)).toEqual(['audit.log']);
  });
});
