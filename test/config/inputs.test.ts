import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationInputs } from '../../src/config/inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'inputs-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the files of a configuration', () => {
  it('have changed when the content of one differs, and not when it was only written again', async () => {
    const inputs = new ConfigurationInputs();
    const path = fileOf('changed', 'one');
    expect(inputs.read(path, 100)).toEqual({ ok: true, text: 'one' });
    expect(await inputs.changes()).toBeUndefined();
    writeFileSync(path, 'one');
    expect(await inputs.changes()).toBeUndefined();
    writeFileSync(path, 'two');
    const seen = await inputs.changes();
    expect(seen).toBeDefined();
    expect(await inputs.changes()).toBe(seen);
    writeFileSync(path, 'three');
    expect(await inputs.changes()).not.toBe(seen);
    writeFileSync(path, 'one');
    expect(await inputs.changes()).toBeUndefined();
  });

  it('have changed when one is gone, or is there now', async () => {
    const inputs = new ConfigurationInputs();
    const path = fileOf('gone', 'text');
    const missing = join(folder, 'missing');
    inputs.read(path, 100);
    expect(inputs.read(missing, 100)).toMatchObject({ ok: false });
    expect(await inputs.changes()).toBeUndefined();
    rmSync(path);
    expect(await inputs.changes()).toBeDefined();
    fileOf('gone', 'text');
    expect(await inputs.changes()).toBeUndefined();
    fileOf('missing', 'text');
    expect(await inputs.changes()).toBeDefined();
  });

  it('that have become pipes are not opened, which would block the process for ever', async () => {
    const inputs = new ConfigurationInputs();
    const path = fileOf('pipe', 'text');
    inputs.read(path, 100);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(await inputs.changes()).toBeUndefined();
    expect(new ConfigurationInputs(new Map()).read(path, 100)).toEqual({
      ok: false,
      reason: 'is not a regular file, and is read at the start only',
    });
  });

  it('may grow at a reload to twice what they were, or to 256 KiB', () => {
    const inputs = new ConfigurationInputs();
    const path = fileOf('grown', 'x'.repeat(200_000));
    inputs.read(path, 10_000_000);
    writeFileSync(path, 'x'.repeat(400_000));
    const grown = new ConfigurationInputs(inputs.lengths());
    expect(grown.read(path, 10_000_000)).toMatchObject({ ok: true });
    writeFileSync(path, 'x'.repeat(800_001));
    expect(new ConfigurationInputs(grown.lengths()).read(path, 10_000_000)).toEqual({
      ok: false,
      reason: 'is larger than 800000 bytes',
    });
    const further = fileOf('further', 'x'.repeat(262_144));
    expect(new ConfigurationInputs(inputs.lengths()).read(further, 10_000_000)).toMatchObject({ ok: true });
  });

  it('that cannot be looked at are remembered, and read again once they can', async () => {
    const path = join(folder, 'loop');
    symlinkSync(path, path);
    const inputs = new ConfigurationInputs(new Map());
    expect(inputs.read(path, 100)).toEqual({ ok: false, reason: 'cannot be read: ELOOP' });
    expect(inputs.bytesNow()).toBe(0);
    expect(await inputs.changes()).toBeUndefined();
    rmSync(path);
    writeFileSync(path, 'text');
    expect(await inputs.changes()).toBeDefined();
    expect(inputs.bytesNow()).toBe(4);
  });

  it('that are too large for a reload are read again only when they change', async () => {
    const path = fileOf('large', 'x'.repeat(300_000));
    const inputs = new ConfigurationInputs(new Map());
    expect(inputs.read(path, 10_000_000)).toMatchObject({ ok: false });
    expect(await inputs.changes()).toBeUndefined();
    expect(await inputs.changes()).toBeUndefined();
    writeFileSync(path, 'x');
    expect(await inputs.changes()).toBeDefined();
  });
});
