import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../src/version.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'sts-sidecar-release-test-'));
const [one, other] = [join(folder, 'one'), join(folder, 'other')];

const build = (out: string): Promise<unknown> =>
  run(process.execPath, ['scripts/release/release.mjs', '--out', out, '--no-image', '--allow-dirty']);

/** Verifies a copy of the release after a change. */
async function verify(change?: (copy: string) => void): Promise<{ code: number; text: string }> {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(one, copy, { recursive: true });
  change?.(copy);
  try {
    const { stdout } = await run(process.execPath, ['scripts/release/verify.mjs', copy]);
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, text: stdout };
  }
}

/** As one does who changes a file and the checksums beside it. */
function sumAgain(copy: string): void {
  const digest = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(copy, file)))
      .digest('hex');
  const files = readdirSync(copy).filter((file) => file !== 'SHA256SUMS');
  writeFileSync(join(copy, 'SHA256SUMS'), files.map((file) => `${digest(file)}  ${file}\n`).join(''));
}

beforeAll(async () => {
  await build(one);
  await build(other);
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a release', () => {
  it('has the same bytes when it is built again', () => {
    expect(readFileSync(`${one}.tar`).equals(readFileSync(`${other}.tar`))).toBe(true);
  });

  it('has package, chart, SBOM, provenance and checksums, of one version', async () => {
    expect(readdirSync(one)).toEqual([
      'SHA256SUMS',
      `sts-sidecar-${version}.cdx.json`,
      `sts-sidecar-${version}.provenance.json`,
      `sts-sidecar-${version}.tgz`,
      `sts-sidecar-chart-${version}.tgz`,
    ]);
    expect(await verify()).toMatchObject({ code: 0 });
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: one });
  });

  it('is not built over something else', async () => {
    await expect(build(one)).rejects.toThrow('is not empty');
  });

  it('names no registry, and nothing of the machine that built it', async () => {
    const { stdout } = await run('npm', ['config', 'get', 'registry']);
    const host = new URL(stdout.trim()).host;
    for (const file of readdirSync(one).filter((name) => !name.endsWith('.tgz'))) {
      const text = readFileSync(join(one, file), 'utf8');
      expect(text).not.toContain(tmpdir());
      expect(text).not.toContain(process.cwd());
      expect(text).not.toContain(host);
    }
  });

  it('fails its verification after any change', async () => {
    const sbom = `sts-sidecar-${version}.cdx.json`;
    const provenance = `sts-sidecar-${version}.provenance.json`;
    const replace = (file: string, text: string, by: string) => (copy: string) => {
      const before = readFileSync(join(copy, file), 'utf8');
      expect(before).toContain(text);
      writeFileSync(join(copy, file), before.replaceAll(text, by));
      sumAgain(copy);
    };
    const changes: readonly [(copy: string) => void, string][] = [
      [(copy) => appendFileSync(join(copy, `sts-sidecar-${version}.tgz`), 'x'), 'does not have its checksum'],
      [(copy) => rmSync(join(copy, `sts-sidecar-chart-${version}.tgz`)), 'is missing'],
      [(copy) => writeFileSync(join(copy, 'more.txt'), 'x'), 'more.txt has no checksum'],
      [replace(sbom, '"name": "jose"', '"name": "josé"'), 'the SBOM lacks jose@'],
      [replace(provenance, '"sha256": "', '"sha256": "0'), 'is no subject of the provenance'],
    ];
    for (const [change, message] of changes) {
      const { code, text } = await verify(change);
      expect(code, message).toBe(1);
      expect(text).toContain(message);
    }
  });

  it('installs into an empty folder, where the demo runs', { timeout: 300_000 }, async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    writeFileSync(join(empty, 'package.json'), '{}');
    const file = join(one, `sts-sidecar-${version}.tgz`);
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', file], {
      cwd: empty,
    });
    const told = await run('npx', ['--no-install', 'sts-sidecar', '--version'], { cwd: empty });
    expect(told.stdout.trim()).toBe(version);
    await run('npx', ['--no-install', 'sts-sidecar', 'demo', '--once'], { cwd: empty });
  });
});
