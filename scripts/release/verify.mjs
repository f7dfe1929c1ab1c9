/*
 * Checks a folder that `release.mjs` made, with nothing but Node and tar:
 *
 *   node scripts/release/verify.mjs release
 *
 * Every file has its checksum and is a subject of the provenance, all versions are one, and the package and the image contain the packages of
 * the SBOM and no others. Exit code 0 or 1. It says nothing about who made the files: for that, verify the signature of whoever
 * published them.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: verify.mjs FOLDER');
const files = readdirSync(folder).sort();
const problems = [];
const check = (isTrue, message) => {
  if (!isTrue) problems.push(message);
};

const sbomFile = files.find((file) => file.endsWith('.cdx.json'));
const provenanceFile = files.find((file) => file.endsWith('.provenance.json'));
const sums = new Map(
  read('SHA256SUMS')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.slice(66), line.slice(0, 64)]),
);
if (sbomFile === undefined || provenanceFile === undefined) throw new Error('no SBOM or no provenance');
checkSums();
// What is not what was released is not read any further.
if (problems.length > 0) report();
const sbom = JSON.parse(read(sbomFile));
const { name, version } = sbom.metadata.component;
const listed = new Map(sbom.components.map((one) => [`${one.name}@${one.version}`, one]));
checkProvenance();
checkPackage();
checkChart();
checkImage();
report();

function report() {
  for (const problem of problems) process.stdout.write(`FAILED: ${problem}\n`);
  process.stdout.write(`${folder}: ${problems.length === 0 ? 'ok' : `${problems.length} problems`}\n`);
  process.exit(problems.length === 0 ? 0 : 1);
}

function read(file) {
  return readFileSync(join(folder, file), 'utf8');
}

function checkSums() {
  for (const file of files.filter((one) => one !== 'SHA256SUMS')) {
    const digest = createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
    check(sums.has(file), `${file} has no checksum`);
    check(!sums.has(file) || sums.get(file) === digest, `${file} does not have its checksum`);
  }
  for (const file of sums.keys()) check(files.includes(file), `${file} is missing`);
}

function checkProvenance() {
  const { subject, predicateType, predicate } = JSON.parse(read(provenanceFile));
  check(predicateType === 'https://slsa.dev/provenance/v1', 'the provenance is of another type');
  check(
    predicate.buildDefinition.externalParameters.version === version,
    'the provenance is of another version',
  );
  const named = new Map(subject.map((one) => [one.name, one.digest.sha256]));
  for (const [file, digest] of sums) {
    if (file === provenanceFile) continue;
    check(named.get(file) === digest, `${file} is no subject of the provenance`);
  }
}

function checkPackage() {
  const file = join(folder, `${name}-${version}.tgz`);
  const manifest = JSON.parse(tar('-xOzf', file, 'package/package.json'));
  check(manifest.name === name && manifest.version === version, 'the package is of another version');
  for (const [one, wanted] of Object.entries(manifest.dependencies ?? {})) {
    check(listed.has(`${one}@${wanted}`), `the SBOM lacks ${one}@${wanted}`);
  }
  for (const member of tar('-tzf', file).split('\n')) {
    const isExpected = /^package\/(?:LICENSE|README\.md|package\.json|dist\/[a-z0-9/-]+\.js)$/.test(member);
    check(member === '' || isExpected, `${member} does not belong in the package`);
  }
  for (const one of sbom.components) check(one.hashes?.length > 0, `the SBOM has no hash of ${one.name}`);
}

function checkChart() {
  const chart = tar('-xOzf', join(folder, `${name}-chart-${version}.tgz`), 'sts-sidecar/Chart.yaml');
  check(chart.includes(`\nversion: ${version}\n`), 'the chart is of another version');
  check(chart.includes(`\nappVersion: "${version}"\n`), 'the chart is for another version of the program');
}

/** The layers of an OCI archive, the last one that has a file counts. */
function checkImage() {
  const file = files.find((one) => one === `${name}-image-${version}.tar`);
  if (file === undefined) return;
  const blob = ({ digest }) => `blobs/${digest.replace(':', '/')}`;
  const part = (path) => execFileSync('tar', ['-xOf', join(folder, file), path], { maxBuffer: 2 ** 31 - 1 });
  const [described] = JSON.parse(part('index.json')).manifests;
  const found = new Set();
  for (const layer of JSON.parse(part(blob(described))).layers) {
    const input = part(blob(layer));
    const form = layer.mediaType.endsWith('gzip') ? '-z' : '';
    const words = (mode) => [mode, ...(form === '' ? [] : [form]), '-f', '-'];
    const members = execFileSync('tar', words('-t'), { input, maxBuffer: 2 ** 28, encoding: 'utf8' }).split(
      '\n',
    );
    const manifests = members.filter((member) =>
      /^app\/(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(member),
    );
    for (const member of manifests) {
      const text = execFileSync('tar', [...words('-xO'), member], {
        input,
        maxBuffer: 2 ** 28,
        encoding: 'utf8',
      });
      const { name: own, version: its } = JSON.parse(text);
      found.add(`${own}@${its}`);
    }
    for (const member of members) check(!/(?:^|\/)\.npmrc$/.test(member), `${member} is in the image`);
  }
  for (const one of found) check(listed.has(one), `the image has ${one}, which the SBOM lacks`);
  for (const one of listed.keys()) check(found.has(one), `the image lacks ${one}`);
}

function tar(...words) {
  return execFileSync('tar', words, { encoding: 'utf8', maxBuffer: 2 ** 28 });
}
