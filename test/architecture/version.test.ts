import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { version } from '../../src/version.ts';

/** Files that name the version of this program, and how. */
const places: readonly (readonly [file: string, pattern: RegExp])[] = [
  ['package.json', /^ {2}"version": "([^"]+)"/m],
  ['package-lock.json', /^ {2}"version": "([^"]+)"/m],
  ['helm/sts-sidecar/Chart.yaml', /^version: (.+)$/m],
  ['helm/sts-sidecar/Chart.yaml', /^appVersion: "(.+)"$/m],
  ['deploy/compose.yaml', /sts-sidecar:(\d[\w.-]*)/g],
  ['deploy/manifests/store-with-sidecar.yaml', /sts-sidecar:(\d[\w.-]*)/g],
  ['docs/getting-started.md', /sts-sidecar:(\d[\w.-]*)/g],
  ['docs/container-credentials.md', /sts-sidecar:(\d[\w.-]*)/g],
  ['test/cluster/images.ts', /sts-sidecar:(\d[\w.-]*)/g],
  ['test/cluster/images.sh', /sts-sidecar:(\d[\w.-]*)/g],
];

describe('the version of the package', () => {
  it.each(places)('is the one in %s (%s)', (file, pattern) => {
    const text = readFileSync(file, 'utf8');
    const found = [...text.matchAll(new RegExp(pattern, `${pattern.flags.replace('g', '')}g`))];
    expect(found.map(([, one]) => one)).toEqual(found.map(() => version));
    expect(found).not.toHaveLength(0);
  });
});
