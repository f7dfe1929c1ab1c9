import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

const digest = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const digestIn = (copy: string, file: string): string => digest(readFileSync(join(copy, file)));

/** As one does who changes a file and the checksums beside it. */
function sumAgain(copy: string): void {
  const files = readdirSync(copy).filter((file) => file !== 'SHA256SUMS');
  writeFileSync(join(copy, 'SHA256SUMS'), files.map((file) => `${digestIn(copy, file)}  ${file}\n`).join(''));
}

const provenance = `sts-sidecar-${version}.provenance.json`;

/** As one does who may also sign: the statement is about the files that are there. */
function attest(copy: string): void {
  const statement = JSON.parse(readFileSync(join(copy, provenance), 'utf8')) as { subject: object[] };
  const files = readdirSync(copy).filter((file) => file !== 'SHA256SUMS' && file !== provenance);
  statement.subject = files.map((name) => ({ name, digest: { sha256: digestIn(copy, name) } }));
  writeFileSync(join(copy, provenance), JSON.stringify(statement));
  sumAgain(copy);
}

/** Packs `package` or `sts-sidecar` again after a change. */
function repacked(file: string, change: (root: string) => void): (copy: string) => void {
  return (copy) => {
    const root = mkdtempSync(join(folder, 'repacked-'));
    execFileSync('tar', ['-xzf', join(copy, file), '-C', root]);
    change(root);
    const members = execFileSync('find', ['.', '-not', '-type', 'd', '-printf', '%P\n'], { cwd: root });
    execFileSync('tar', ['-czf', join(copy, file), '-C', root, '--files-from=-'], { input: members });
    attest(copy);
  };
}

/** Changes package.json below a folder. */
function manifest(root: string, changed: object): void {
  const file = join(root, 'package.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...changed }));
}

/** Adds an image: an OCI archive of one layer, after a change of the layer, and with other names of blobs. */
function withImage(
  change: (root: string) => void = () => {},
  nameOf: (content: Buffer) => string = digest,
): (copy: string) => void {
  return (copy) => {
    const root = mkdtempSync(join(folder, 'image-'));
    const [layer, app, blobs] = ['layer', 'layer/app', 'oci/blobs/sha256'].map((path) => join(root, path));
    for (const path of [app, blobs]) mkdirSync(path ?? '', { recursive: true });
    const words = ['--strip-components=1', '--exclude=demo*', '--exclude=LICENSE', '--exclude=README.md'];
    execFileSync('tar', ['-xzf', join(copy, `sts-sidecar-${version}.tgz`), '-C', app ?? '', ...words]);
    const sbom = readFileSync(join(copy, `sts-sidecar-${version}.cdx.json`), 'utf8');
    const { components } = JSON.parse(sbom) as { components: readonly { name: string; version: string }[] };
    for (const one of components) write(join(app ?? '', 'node_modules', one.name, 'package.json'), one);
    change(layer ?? '');
    const add = (content: Buffer): { digest: string } => {
      const name = nameOf(content);
      writeFileSync(join(blobs ?? '', name), content);
      return { digest: `sha256:${name}` };
    };
    const json = (value: object): { digest: string } => add(Buffer.from(JSON.stringify(value)));
    const config = json({ config: { Labels: { 'org.opencontainers.image.version': version } } });
    const packed = execFileSync('tar', ['-cz', '-C', layer ?? '', '.'], { maxBuffer: 2 ** 28 });
    write(join(root, 'oci/index.json'), { manifests: [json({ config, layers: [add(packed)] })] });
    const file = join(copy, `sts-sidecar-image-${version}.tar`);
    execFileSync('tar', ['-cf', file, '-C', join(root, 'oci'), 'index.json', 'blobs']);
    attest(copy);
  };
}

function write(file: string, value: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
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

  it('has no second file of any kind, which could be what is verified in place of the signed one', async () => {
    const sbom = `sts-sidecar-${version}.cdx.json`;
    for (const [file, of] of [
      ['0.provenance.json', provenance],
      [`sts-sidecar-0.provenance.json`, provenance],
      ['a-0.cdx.json', sbom],
      [`sts-sidecar-${version}.tar.gz`, sbom],
    ] as const) {
      const { code, text } = await verify((copy) => {
        cpSync(join(copy, of), join(copy, file));
        sumAgain(copy);
      });
      expect(code, file).toBe(1);
      expect(text).toMatch(/does not belong in a release/);
    }
  });

  it('has a subject of its provenance for each file, and a file for each subject', async () => {
    const { code, text } = await verify((copy) => {
      withImage()(copy);
      rmSync(join(copy, `sts-sidecar-image-${version}.tar`));
      sumAgain(copy);
    });
    expect(code).toBe(1);
    expect(text).toContain(`sts-sidecar-image-${version}.tar, a subject of the provenance, is missing`);
  });

  it('has nothing in package and chart but what belongs there', async () => {
    const file = `sts-sidecar-${version}.tgz`;
    const changed = (fields: object) => repacked(file, (root) => manifest(join(root, 'package'), fields));
    const chart = (change: (root: string) => void) => repacked(`sts-sidecar-chart-${version}.tgz`, change);
    const changes: readonly [(copy: string) => void, string][] = [
      [changed({ dependencies: { evil: '1.0.0' } }), 'the SBOM lacks evil@1.0.0'],
      [changed({ dependencies: {} }), 'the package lacks jose@'],
      [changed({ optionalDependencies: { evil: '1.0.0' } }), 'the package has optionalDependencies'],
      [changed({ peerDependencies: { evil: '1.0.0' } }), 'the package has peerDependencies'],
      [changed({ bundleDependencies: ['evil'] }), 'the package has bundleDependencies'],
      [changed({ bundledDependencies: true }), 'the package has bundledDependencies'],
      [changed({ scripts: { postinstall: 'evil' } }), 'the package runs something at postinstall'],
      [
        repacked(file, (root) => {
          rmSync(join(root, 'package/dist/main.js'));
          symlinkSync('/etc/passwd', join(root, 'package/dist/main.js'));
        }),
        'package/dist/main.js does not belong',
      ],
      [
        chart((root) => write(join(root, 'sts-sidecar/charts/evil/Chart.yaml'), {})),
        'charts/evil/Chart.yaml does not belong',
      ],
      [
        chart((root) => symlinkSync('/etc/passwd', join(root, 'sts-sidecar/files/passwd'))),
        'files/passwd does not belong',
      ],
    ];
    for (const [change, message] of changes) {
      const { code, text } = await verify(change);
      expect(code, message).toBe(1);
      expect(text).toContain(message);
    }
  });

  it('has an image with the program of its package, and with no packages beside those of the SBOM', async () => {
    expect((await verify(withImage())).text).toMatch(/: ok\n$/);
    const another = (path: string, value: object = { name: 'evil', version: '1.0.0' }) =>
      withImage((root) => write(join(root, path), value));
    const without = (path: string) => withImage((root) => rmSync(join(root, path), { recursive: true }));
    const changes: readonly [(copy: string) => void, string][] = [
      [withImage(undefined, (content) => digest(Buffer.concat([content, content]))), 'has another digest'],
      [
        withImage((root) => manifest(join(root, 'app'), { version: '9.9.9' })),
        'app/package.json is not of the package',
      ],
      [another('app/dist/main.js'), 'app/dist/main.js is not of the package'],
      [another('app/dist/more.js'), 'app/dist/more.js is not of the package'],
      [without('app/dist/main.js'), 'the image lacks dist/main.js'],
      [another('app/node_modules/evil/package.json'), 'the image has evil@1.0.0, which the SBOM lacks'],
      [
        another('app/node_modules/jose/node_modules/@a/evil/package.json'),
        'the image has evil@1.0.0, which the SBOM lacks',
      ],
      [
        another('app/node_modules/evil/index.js'),
        'the image has node_modules/evil/@undefined, which the SBOM lacks',
      ],
      [another('app/node_modules/evil.js'), 'app/node_modules/evil.js is not of the package'],
      [without('app/node_modules/jose'), 'the image lacks jose@'],
      [another('node_modules/evil/package.json'), 'node_modules/evil/package.json is in the image'],
      [another('opt/node_modules/evil/package.json'), 'opt/node_modules/evil/package.json is in the image'],
      [
        another('opt/lib/node_modules/evil/package.json'),
        'opt/lib/node_modules/evil/package.json is in the image',
      ],
      [another('app/dist/.wh.main.js'), 'app/dist/.wh.main.js is in the image'],
      [another('root/.npmrc'), 'root/.npmrc is in the image'],
      [withImage((root) => symlinkSync('/etc', join(root, 'app/dist/etc'))), 'app/dist/etc is no file'],
    ];
    for (const [change, message] of changes) {
      const { code, text } = await verify(change);
      expect(code, message).toBe(1);
      expect(text).toContain(message);
    }
    const base = await verify(another('usr/local/lib/node_modules/npm/node_modules/one/package.json'));
    expect(base.text).toMatch(/: ok\n$/);
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
