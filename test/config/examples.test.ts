import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { policyVocabulary } from '../../src/app/policy-vocabulary.ts';
import { parseConfiguration } from '../../src/config/load.ts';
import type { MemoryLimits } from '../../src/config/memory-estimate.ts';
import { systemClock } from '../../src/core/clock.ts';
import { demoConfiguration } from '../../src/demo/demo-configuration.ts';
import { policyConfiguration } from '../cli/command.ts';
import { createAuthority } from '../support/authority.ts';
import { testCaPem } from '../support/identity-provider.ts';
import { createSamlIdp } from '../support/saml-idp.ts';

type Mapping = Readonly<Record<string, unknown>>;

const idp = createSamlIdp({ roles: [], now: () => systemClock.now() });
const key = Buffer.alloc(32, 7).toString('base64');

const authority = createAuthority();
const issued = authority.issue();
const publicOne = authority.issue({ names: ['s3.public.example.com'] });
const oldOne = authority.issue({ names: ['s3.old.example.com'] });
const files: ReadonlyMap<string, string> = new Map([
  ['tls/tls.crt', issued.certPem],
  ['tls/tls.key', issued.keyPem],
  ['tls/ca.crt', authority.certPem],
  ['tls/public.crt', publicOne.certPem],
  ['tls/public.key', publicOne.keyPem],
  ['tls/old.crt', oldOne.certPem],
  ['tls/old.key', oldOne.keyPem],
]);

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** The warnings of a configuration whose variables and files all exist, in a container with so much memory. */
function warningsOf(text: string, mebibytes?: number): readonly string[] {
  const loaded = parseConfiguration(text, 'sidecar.yaml', {
    vocabulary: policyVocabulary,
    environment: (name) => {
      if (name.startsWith('STS_SIDECAR_')) return undefined;
      if (name === 'REDIS_URL') return 'rediss://redis:6379';
      return /KEY$/.test(name) && !/ACCESS/.test(name) ? key : 'value-of-the-variable';
    },
    readText: (path) => ({ ok: true, text: fileText(path) }),
    ...(mebibytes === undefined ? {} : { memory: memoryOf(mebibytes * 1_048_576) }),
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.warnings;
}

/** The image and the chart give V8 half of the container, and its young generation some of it. */
function memoryOf(containerBytes: number): MemoryLimits {
  return { containerBytes, heapBytes: containerBytes / 2 };
}

function fileText(path: string): string {
  if (path.endsWith('.xml')) return idp.metadata;
  return files.get(path) ?? (path.endsWith('.pem') ? testCaPem : `${key}\n`);
}

function blocksOf(path: string): Mapping[] {
  return [...read(path).matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => parse(text) as Mapping);
}

const pages = [
  'README.md',
  ...readdirSync(new URL('../../docs', import.meta.url))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Everything that a page leaves out, so that its part of a configuration can be loaded. */
const surroundings = parse(read('test/config/every-section.yaml')) as Mapping & {
  readonly directory: { readonly [name: string]: unknown };
};

/** A part of a configuration inside a whole one; what it names and does not define is in the surroundings. */
function whole(part: Mapping): string {
  const directory = part['directory'] as Mapping | undefined;
  const shown = { ...surroundings.directory, ...directory };
  return JSON.stringify({
    ...surroundings,
    ...part,
    // Where the store is, every page may leave out.
    backend: { ...(surroundings['backend'] as Mapping), ...(part['backend'] as Mapping | undefined) },
    directory: {
      ...shown,
      policies: {
        ...(surroundings.directory['policies'] as Mapping),
        ...(directory?.['policies'] as Mapping),
      },
    },
  });
}

const parts = pages.flatMap((page) =>
  blocksOf(page)
    .filter((block) => Object.keys(block).every((name) => name in surroundings))
    .map((block) => [page, Object.keys(block).join(', '), block] as const),
);

describe('examples load without a warning', () => {
  it('and at least some are found', () => {
    expect(parts.length).toBeGreaterThan(7);
  });

  it.each(parts)('in %s: %s', (_page, _names, block) => {
    expect(warningsOf(whole(block))).toEqual([]);
  });

  it('in the demo, except for the secrets that it makes itself', () => {
    const secrets = { userSecret: 'user-secret-value', storeSecret: 'store-secret-value', tokenKey: key };
    const warnings = warningsOf(demoConfiguration('http://127.0.0.1:9001', 9000, secrets));
    expect(warnings.filter((warning) => !warning.includes('a literal secret'))).toEqual([]);
  });

  it('in the tests of policies, except for secrets and the audit mode', () => {
    const warnings = warningsOf(policyConfiguration);
    expect(warnings.filter((warning) => !/a literal secret|warning: audit:/.test(warning))).toEqual([]);
  });

  it('in deploy, except for plain HTTP in a cluster and in a network of containers', () => {
    const compose = parse(read('deploy/compose.yaml')) as {
      readonly configs: { readonly sidecar: { readonly content: string } };
      readonly services: { readonly sidecar: { readonly mem_limit: string } };
    };
    const limit = Number.parseInt(compose.services.sidecar.mem_limit, 10);
    const manifests = parseAllDocuments(read('deploy/manifests/store-with-sidecar.yaml')).map(
      (document) => document.toJS() as { readonly data?: Readonly<Record<string, string>> },
    );
    const inPod = /limits: \{ memory: (\d+)Mi \}/.exec(read('deploy/manifests/store-with-sidecar.yaml'))?.[1];
    const pod = manifests.find(({ data }) => data?.['sidecar.yaml'] !== undefined)?.data?.['sidecar.yaml'];
    for (const [text, mebibytes] of [
      [compose.configs.sidecar.content, limit],
      [pod ?? '', Number(inPod)],
    ] as const) {
      const warnings = warningsOf(text, mebibytes);
      expect(warnings.length).toBeGreaterThan(0);
      for (const warning of warnings) expect(warning).toContain('plain HTTP beyond loopback');
    }
  });
});
