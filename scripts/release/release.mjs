/*
 * Builds everything of a release into one folder, from the tracked files of this repository:
 *
 *   npm run release -- --out release                 the package, the chart, the image, SBOM, provenance, checksums
 *   npm run release -- --out release --no-image      without the image
 *
 * Files of the same commit have the same bytes on the same machine: times are SOURCE_DATE_EPOCH (by default that of the commit), and
 * archives are sorted. `verify.mjs` checks the result.
 *
 *   --builder podman|docker|SCRIPT   builds the image (default: podman)
 *   --image-option OPTION            passed on to `build`; repeatable, for example --image-option=--build-arg=RUN_IMAGE=…
 *   --allow-dirty                    also with changes that are not committed
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: 'release' },
    'no-image': { type: 'boolean', default: false },
    builder: { type: 'string', default: 'podman' },
    'image-option': { type: 'string', multiple: true, default: [] },
    'allow-dirty': { type: 'boolean', default: false },
  },
});

const git = (...words) => run('git', words, repository);
if (!options['allow-dirty'] && git('status', '--porcelain') !== '') {
  throw new Error('there are changes that are not committed (--allow-dirty takes them along)');
}
const revision = git('rev-parse', 'HEAD');
const epoch = process.env.SOURCE_DATE_EPOCH ?? git('log', '-1', '--format=%ct');
if (!/^\d{1,11}$/.test(epoch)) throw new Error('SOURCE_DATE_EPOCH is a number of seconds');
const { name, version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));

const out = resolve(options.out);
if (readable(out).length > 0) throw new Error(`${out} is not empty`);
mkdirSync(out, { recursive: true });
const source = mkdtempSync(join(tmpdir(), 'sts-sidecar-release-'));
try {
  checkOut();
  buildPackage();
  buildChart();
  if (!options['no-image']) buildImage();
  writeSbom();
  writeProvenance();
  writeSums();
  const bundle = `${out}.tar`;
  archive(bundle, out, ['.'], `s,^\\.,${name}-${version},`);
  process.stdout.write(`${digestOf(bundle)}  ${bundle}\n`);
} finally {
  rmSync(source, { recursive: true, force: true });
}

/** Tracked files only, in a folder of their own: nothing else of this one can reach the release. */
function checkOut() {
  const tree = git('stash', 'create') || revision;
  const tar = execFileSync('git', ['archive', '--format=tar', tree], { cwd: repository, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x'], { cwd: source, input: tar });
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
}

function buildPackage() {
  run('npm', ['run', '--silent', 'build'], source);
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', out], source));
  const unexpected = packed.files
    .map(({ path }) => path)
    .filter((path) => !/^(?:LICENSE|README\.md|package\.json|dist\/[a-z0-9/-]+\.js)$/.test(path));
  if (unexpected.length > 0) throw new Error(`does not belong in the package: ${unexpected.join(', ')}`);
}

/** As `helm package` does, whose archives have the time of the build in them. */
function buildChart() {
  const parts = [
    'Chart.yaml',
    'LICENSE',
    'README.md',
    'values.schema.json',
    'values.yaml',
    'files',
    'templates',
  ];
  const chart = join(source, 'helm', 'sts-sidecar');
  const present = parts.filter((part) => readdirSync(chart).includes(part));
  const tar = join(source, 'chart.tar');
  archive(tar, chart, present, 's,^,sts-sidecar/,');
  run('gzip', ['--no-name', '--best', tar], source);
  copyFileSync(`${tar}.gz`, join(out, `${name}-chart-${version}.tgz`));
}

function buildImage() {
  const tag = `docker.io/library/${name}:${version}`;
  const labels = [
    `org.opencontainers.image.version=${version}`,
    `org.opencontainers.image.revision=${revision}`,
  ];
  const build = ['build', `--timestamp=${epoch}`, ...labels.map((label) => `--label=${label}`)];
  run(
    options.builder,
    [...build, ...options['image-option'], '--file=deploy/Dockerfile', `--tag=${tag}`, '.'],
    source,
  );
  const file = join(out, `${name}-image-${version}.tar`);
  run(options.builder, ['save', '--format=oci-archive', `--output=${file}`, tag], source);
}

/**
 * The packages of the program as CycloneDX. What npm makes up for each run follows from the content instead. `--omit=dev` would leave
 * out those that a tool needs as well (npm 11.19), so the packages are found from the dependencies on.
 */
function writeSbom() {
  const words = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--sbom-type=application'];
  const { serialNumber: _, ...all } = JSON.parse(run('npm', words, source));
  const graph = new Map(all.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const { dependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const own = Object.entries(dependencies).map(([one, its]) => `${one}@${its}`);
  const reached = new Set(own);
  for (const ref of reached) for (const one of graph.get(ref) ?? []) reached.add(one);
  const root = all.metadata.component['bom-ref'];
  const metadata = { ...all.metadata, timestamp: new Date(Number(epoch) * 1000).toISOString() };
  metadata.component.name = name;
  const sbom = {
    ...all,
    metadata,
    components: all.components.filter((one) => reached.has(one['bom-ref'])).map(asShipped),
    dependencies: [{ ref: root, dependsOn: own }, ...all.dependencies.filter(({ ref }) => reached.has(ref))],
  };
  const id = createHash('sha256').update(JSON.stringify(sbom)).digest('hex');
  // RFC 9562, version 8: a UUID of one's own making.
  const uuid = `${id.slice(0, 8)}-${id.slice(8, 12)}-8${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`;
  writeJson(`${name}-${version}.cdx.json`, { serialNumber: `urn:uuid:${uuid}`, ...sbom });
}

/** Without the address that it was fetched from, and without the mark of a tool. */
function asShipped({ properties = [], externalReferences: _, ...component }) {
  const kept = properties.filter((one) => one.name !== 'cdx:npm:package:development');
  return { ...component, scope: 'required', properties: kept };
}

/** An in-toto statement with SLSA v1 provenance. It is not signed: whoever publishes the release signs it. */
function writeProvenance() {
  const { GITHUB_REPOSITORY: hosted, GITHUB_SERVER_URL: server, GITHUB_RUN_ID: runId } = process.env;
  const isHosted = hosted !== undefined && server !== undefined;
  const from = isHosted ? `git+${server}/${hosted}` : 'git+file:.';
  writeJson(`${name}-${version}.provenance.json`, {
    _type: 'https://in-toto.io/Statement/v1',
    subject: released().map((file) => ({ name: file, digest: { sha256: digestOf(join(out, file)) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:sts-sidecar:npm-run-release',
        externalParameters: { version, image: !options['no-image'], sourceDateEpoch: Number(epoch) },
        resolvedDependencies: [
          { uri: from, digest: { gitCommit: revision } },
          { uri: 'package-lock.json', digest: { sha256: digestOf(join(source, 'package-lock.json')) } },
        ],
      },
      runDetails: {
        builder: {
          id: isHosted ? `${server}/${hosted}/.github/workflows/release.yml` : 'urn:sts-sidecar:local',
        },
        ...(isHosted ? { metadata: { invocationId: `${server}/${hosted}/actions/runs/${runId}` } } : {}),
      },
    },
  });
}

/** In the form of `sha256sum --check`. */
function writeSums() {
  const lines = released().map((file) => `${digestOf(join(out, file))}  ${file}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
}

function released() {
  return readdirSync(out).sort();
}

function archive(file, folder, members, transform) {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  const words = [...same, `--mtime=@${epoch}`, '--mode=u=rwX,go=rX', `--transform=${transform}`];
  run('tar', ['-cf', file, '-C', folder, ...words, ...members], source);
}

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function writeJson(file, value) {
  writeFileSync(join(out, file), `${JSON.stringify(value, undefined, 2)}\n`);
}

function readable(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function run(program, words, cwd) {
  const stdio = ['ignore', 'pipe', 'inherit'];
  return execFileSync(program, words, { cwd, stdio, encoding: 'utf8', maxBuffer: 2 ** 28 }).trim();
}
