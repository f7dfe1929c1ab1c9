/*
 * Checks a folder that `release.mjs` made, with nothing but Node and tar:
 *
 *   node scripts/release/verify.mjs release
 *
 * It has the files of one release and no others. Each has its checksum and is a subject of the provenance, and every subject is there. All
 * versions are one, the program in the image is that of the package, and both have the packages of the SBOM and no others. Exit code 0
 * or 1. The content of those packages and the base of the image are not compared, and it says nothing about who made the files: for
 * that, verify the signature of whoever published them.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, posix, relative } from 'node:path';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: verify.mjs FOLDER');
const files = readdirSync(folder).sort();
const problems = [];
const check = (isTrue, message) => {
  if (!isTrue) problems.push(message);
};
const scratch = mkdtempSync(join(tmpdir(), 'sts-sidecar-verify-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Packages inside packages too; what else a package has is its own. */
const packageRoot = /^(?:node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/)+/;

/** Packages are below /app, and npm's own where a base image has npm. */
const packagesBelong =
  /^\/app\/node_modules(?:\/|$)|^(?:(?!\/node_modules\/).)*\/lib\/node_modules\/(?:$|(?:npm|corepack)(?:\/|$))/;

const [sbomFile] = files.filter((file) => /^[a-z-]+-\d.*\.cdx\.json$/.test(file));
if (sbomFile === undefined) throw new Error('no SBOM');
const [, name, version] = /^([a-z-]+)-(\d.*)\.cdx\.json$/.exec(sbomFile);
const provenanceFile = `${name}-${version}.provenance.json`;
const packageFile = `${name}-${version}.tgz`;
const chartFile = `${name}-chart-${version}.tgz`;
const imageFile = `${name}-image-${version}.tar`;
const sums = new Map(
  read('SHA256SUMS')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.slice(66), line.slice(0, 64)]),
);
checkFiles();
// What is not what was released is not read any further.
if (problems.length > 0) report();
const sbom = JSON.parse(read(sbomFile));
const { component } = sbom.metadata;
check(component.name === name && component.version === version, 'the SBOM is of another version');
const listed = new Map(sbom.components.map((one) => [`${one.name}@${one.version}`, one]));
checkProvenance();
checkPackage();
checkChart();
if (files.includes(imageFile)) checkImage();
report();

function report() {
  for (const problem of problems) process.stdout.write(`FAILED: ${problem}\n`);
  process.stdout.write(`${folder}: ${problems.length === 0 ? 'ok' : `${problems.length} problems`}\n`);
  process.exit(problems.length === 0 ? 0 : 1);
}

function read(file) {
  return readFileSync(join(folder, file), 'utf8');
}

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** A second file of a kind could be the one that is read here, beside the one that is signed. */
function checkFiles() {
  const needed = ['SHA256SUMS', sbomFile, provenanceFile, packageFile, chartFile];
  for (const file of files) {
    check([...needed, imageFile].includes(file), `${file} does not belong in a release`);
    if (file === 'SHA256SUMS') continue;
    check(sums.has(file), `${file} has no checksum`);
    check(
      !sums.has(file) || sums.get(file) === digestOf(join(folder, file)),
      `${file} does not have its checksum`,
    );
  }
  for (const file of new Set([...needed, ...sums.keys()])) check(files.includes(file), `${file} is missing`);
}

function checkProvenance() {
  const { subject, predicateType, predicate } = JSON.parse(read(provenanceFile));
  const { externalParameters } = predicate.buildDefinition;
  check(predicateType === 'https://slsa.dev/provenance/v1', 'the provenance is of another type');
  check(externalParameters.version === version, 'the provenance is of another version');
  const named = new Map(subject.map((one) => [one.name, one.digest.sha256]));
  for (const [file, digest] of sums) {
    if (file === provenanceFile) continue;
    check(named.get(file) === digest, `${file} is no subject of the provenance`);
  }
  for (const file of named.keys()) check(sums.has(file), `${file}, a subject of the provenance, is missing`);
}

function checkPackage() {
  const file = join(folder, packageFile);
  const manifest = JSON.parse(tar('-xOzf', file, 'package/package.json'));
  check(manifest.name === name && manifest.version === version, 'the package is of another version');
  const own = Object.entries(manifest.dependencies ?? {}).map(([one, its]) => `${one}@${its}`);
  for (const one of own) check(listed.has(one), `the SBOM lacks ${one}`);
  const { dependsOn } = sbom.dependencies.find(({ ref }) => ref === component['bom-ref']);
  for (const one of dependsOn) check(own.includes(one), `the package lacks ${one}`);
  const further = ['optionalDependencies', 'peerDependencies', 'bundleDependencies', 'bundledDependencies'];
  for (const field of further) check(manifest[field] === undefined, `the package has ${field}`);
  for (const script of ['preinstall', 'install', 'postinstall'])
    check(manifest.scripts?.[script] === undefined, `the package runs something at ${script}`);
  checkMembers(file, /^package\/(?:LICENSE|README\.md|package\.json|dist\/[a-z0-9/-]+\.js)$/);
  for (const one of sbom.components) check(one.hashes?.length > 0, `the SBOM has no hash of ${one.name}`);
}

function checkChart() {
  const file = join(folder, chartFile);
  const chart = tar('-xOzf', file, 'sts-sidecar/Chart.yaml');
  check(chart.includes(`\nversion: ${version}\n`), 'the chart is of another version');
  check(chart.includes(`\nappVersion: "${version}"\n`), 'the chart is for another version of the program');
  const own = 'Chart\\.yaml|LICENSE|README\\.md|values\\.yaml|values\\.schema\\.json|(?:files|templates)/.*';
  checkMembers(file, new RegExp(`^sts-sidecar/(?:${own})$`));
}

/** No links, and nothing twice. */
function checkMembers(file, pattern) {
  const members = tar('-tzf', file).trimEnd().split('\n');
  const described = tar('-tvzf', file).split('\n');
  for (const [index, member] of members.entries()) {
    const isPlain = described[index].startsWith(member.endsWith('/') ? 'd' : '-');
    const isOnce = members.indexOf(member) === index;
    check(pattern.test(member) && isPlain && isOnce, `${member} does not belong in ${basename(file)}`);
  }
}

/** An OCI archive. Of the layers, the last one that has a file counts. */
function checkImage() {
  const archive = unpacked(join(folder, imageFile));
  const blobs = join(archive, 'blobs', 'sha256');
  for (const blob of readdirSync(blobs))
    check(digestOf(join(blobs, blob)) === blob, `blob ${blob} of the image has another digest`);
  if (problems.length > 0) report();
  const blobOf = ({ digest }) => join(blobs, /^sha256:([0-9a-f]{64})$/.exec(digest)[1]);
  const parse = (file) => JSON.parse(readFileSync(file, 'utf8'));
  const { manifests } = parse(join(archive, 'index.json'));
  check(manifests.length === 1, 'the archive has several images');
  const { config, layers } = parse(blobOf(manifests[0]));
  const { Labels: labels } = parse(blobOf(config)).config;
  check(labels?.['org.opencontainers.image.version'] === version, 'the image is of another version');
  const inImage = new Map(layers.flatMap((layer) => [...programIn(blobOf(layer))]));
  const released = filesIn(join(unpacked(join(folder, packageFile)), 'package'));
  const roots = new Set();
  for (const [path, file] of inImage) {
    const root = packageRoot.exec(path)?.[0];
    if (root !== undefined) roots.add(root);
    else if (path !== 'node_modules/.package-lock.json')
      check(
        released.has(path) && digestOf(released.get(path)) === digestOf(file),
        `app/${path} is not of the package`,
      );
  }
  const isOfProgram = (path) => /^(?:package\.json$|dist\/(?!demo\/|cli\/demo\.js$))/.test(path);
  for (const path of released.keys())
    check(!isOfProgram(path) || inImage.has(path), `the image lacks ${path}`);
  const found = new Set();
  for (const root of roots) {
    const manifest = inImage.get(`${root}package.json`);
    const { name: own, version: its } = manifest === undefined ? { name: root } : parse(manifest);
    found.add(`${own}@${its}`);
  }
  for (const one of found) check(listed.has(one), `the image has ${one}, which the SBOM lacks`);
  for (const one of listed.keys()) check(found.has(one), `the image lacks ${one}`);
}

/** The files of a layer below /app, from where the layer takes nothing away. */
function programIn(layer) {
  const members = tar('-tf', layer)
    .split('\n')
    .filter((member) => member !== '');
  for (const member of members) {
    const path = posix.join('/', member);
    const isForbidden =
      /\/\.npmrc$|^\/(?:app\/(?:.*\/)?)?\.wh\./.test(path) || member.split('/').includes('..');
    const isAstray = /\/node_modules(?:\/|$)/.test(path) && !packagesBelong.test(path);
    check(!isForbidden && !isAstray, `${member} is in the image`);
  }
  const own = members.filter((member) => /^\/app(?:\/|$)/.test(posix.join('/', member)));
  if (own.length === 0) return [];
  const found = filesIn(unpacked(layer, own));
  return [...found].map(([path, file]) => [path.slice('app/'.length), file]);
}

/** The files of a folder by their paths in it. Only npm makes links. */
function filesIn(root) {
  const found = new Map();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(root, file);
    const isOfNpm = /(?:^|\/)node_modules\/\.bin\/[^/]+$/.test(path);
    if (entry.isFile() && !isOfNpm) found.set(path, file);
    else check(entry.isDirectory() || isOfNpm, `${path} is no file`);
  }
  return found;
}

function unpacked(file, members) {
  const root = mkdtempSync(join(scratch, 'unpacked-'));
  const some = members === undefined ? [] : ['--no-recursion', '--files-from=-'];
  const words = ['-xf', file, '-C', root, '--no-same-owner', ...some];
  execFileSync('tar', words, { input: members?.join('\n') ?? '' });
  return root;
}

function tar(...words) {
  return execFileSync('tar', words, { encoding: 'utf8', maxBuffer: 2 ** 28 });
}
