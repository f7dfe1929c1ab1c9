import { beforeAll, describe, expect, it } from 'vitest';
import { cruiseCopy, type PlantedFile, type Verdict, type Violation } from './cruised-copy.ts';

/** The import table as the design states it, written a second time on purpose: whole folders only. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sigv4: ['core'],
  iam: ['core'],
  tokens: ['core'],
  s3: ['core'],
  observe: ['core'],
  tracing: ['core'],
  state: ['core'],
  outbound: ['core'],
  'http-client': ['core'],
  schema: ['core'],
  identity: ['core', 'outbound', 'state', 'schema'],
  directory: ['core', 'iam'],
  config: ['core', 'schema'],
  revocation: ['core', 'directory', 'state'],
  authenticate: ['core', 'sigv4', 'tokens', 'directory', 'revocation'],
  authorize: ['core', 'iam', 'directory'],
  forward: ['core', 'sigv4', 'http-client'],
  sts: ['core', 'iam', 'tokens', 'directory', 'authenticate', 'state'],
  edge: ['core', 's3', 'authenticate', 'authorize', 'sts', 'forward', 'observe', 'state'],
  control: ['core', 'revocation', 'observe', 'state'],
  container: ['core', 'observe', 'state'],
  injector: ['core', 'observe', 'outbound'],
  demo: ['core', 'sigv4'],
  cli: ['core', 'iam', 'config', 'sts', 'edge', 'demo', 'forward', 'tokens'],
};

/** What may be imported as types and no more. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  config: ['injector', 'tracing'],
  edge: ['tracing'],
  container: ['tracing'],
  injector: ['schema'],
  revocation: ['tokens'],
  authorize: ['authenticate', 's3'],
  forward: ['authorize'],
};

interface Plant {
  /** What is planted, for the test's title. */
  readonly title: string;
  readonly file: PlantedFile;
  /** The rule that must name the planted file; undefined where nothing may. */
  readonly rule: string | undefined;
}

const FOLDERS = Object.keys(ALLOWED);
const TARGET = 'planted-target.ts';
const TARGETS: readonly PlantedFile[] = [
  ...FOLDERS.map((folder) => `src/${folder}/${TARGET}`),
  'src/identity/planted-kind/member.ts',
  'src/sts/actions/planted-member.ts',
  'src/s3/operations/planted-member.ts',
  'src/iam/conditions/planted-member.ts',
  'src/planted-folder/planted-target.ts',
  'test/planted-target.ts',
].map((path) => ({ path, text: 'export const planted = 1;\nexport type Planted = number;\n' }));

let serial = 0;

function plant(folder: string, specifier: string, rule: string | undefined, statement?: string): Plant {
  serial += 1;
  const text = statement ?? `import { planted } from '${specifier}';`;
  return {
    title: `src/${folder}: ${text}`,
    file: { path: `src/${folder}/planted-${serial}.ts`, text: `${text}\nexport const own = 1;\n` },
    rule,
  };
}

function layerPlants(): readonly Plant[] {
  return FOLDERS.flatMap((folder) =>
    FOLDERS.filter((target) => target !== folder).flatMap((target) => {
      const specifier = `../${target}/${TARGET}`;
      if (folder === 'cli' || ALLOWED[folder]?.includes(target)) return [plant(folder, specifier, undefined)];
      if (!TYPES_ONLY[folder]?.includes(target)) return [plant(folder, specifier, `layer-${folder}`)];
      const asType = `import type { Planted } from '${specifier}';`;
      const inline = `import { type Planted, planted } from '${specifier}';`;
      const exported = `export { planted } from '${specifier}';`;
      const dynamic = `export const later = import('${specifier}');`;
      return [
        plant(folder, specifier, undefined, asType),
        ...[undefined, inline, exported, dynamic].map((statement) =>
          plant(folder, specifier, `types-only-${folder}-${target}`, statement),
        ),
      ];
    }),
  );
}

/** Rows of the table that name files rather than folders, and the files that only the unrestricted may import. */
function fileLevelPlants(): readonly Plant[] {
  return [
    plant('config', '../iam/document.ts', undefined),
    plant('config', '../iam/evaluate.ts', 'layer-config'),
    plant('config', '../directory/records.ts', undefined),
    plant('config', '../directory/directory.ts', 'layer-config'),
    plant('config', '../identity/kinds.ts', undefined),
    plant('config', '../identity/kind.ts', undefined),
    plant('config', '../identity/provider.ts', 'layer-config'),
    plant('sts', '../authorize/decide.ts', undefined),
    plant('sts', '../authorize/gather-policies.ts', undefined),
    plant('sts', '../authorize/authorize-s3.ts', 'layer-sts'),
    plant('config', '../revocation/revocation-record.ts', undefined),
    plant('config', '../revocation/revocations.ts', 'layer-config'),
    plant('control', '../edge/limits.ts', undefined),
    plant('control', '../edge/server.ts', 'layer-control'),
    plant('control', '../forward/forward.ts', 'layer-control'),
    plant('container', '../sts/container-credentials.ts', undefined),
    plant('container', '../sts/federate.ts', 'layer-container'),
    plant('container', '../edge/server.ts', 'layer-container'),
    plant('injector', '../sts/handle.ts', 'layer-injector'),
    plant('injector', '../tokens/key-ring.ts', 'layer-injector'),
    plant('edge', '../app.ts', 'layer-edge'),
    plant('edge', '../main.ts', 'layer-edge'),
  ];
}

function packagePlants(): readonly Plant[] {
  const fenced: Readonly<Record<string, readonly [allowed: string, forbidden: string]>> = {
    jose: ['tokens', 'authenticate'],
    'prom-client': ['observe', 'edge'],
    pino: ['observe', 'core'],
    undici: ['outbound', 'forward'],
    zod: ['config', 'directory'],
    yaml: ['config', 'core'],
    commander: ['cli', 'config'],
  };
  const elsewhere = ['@redis/client', 'http-proxy-3', 'xml-crypto', 'lru-cache'];
  return [
    ...Object.entries(fenced).flatMap(([name, [allowed, forbidden]]) => [
      plant(allowed, name, undefined),
      plant(forbidden, name, `fence-${name}`),
      plant(forbidden, name, `fence-${name}`, `import type { Planted } from '${name}';`),
    ]),
    plant('schema', 'zod', undefined),
    plant('tracing', '@opentelemetry/api', undefined),
    plant('edge', '@opentelemetry/api', 'fence-@opentelemetry/[a-z-]+'),
    plant('identity', 'zod', 'fence-zod'),
    // Also inside core: `lru-cache` belongs to one file of it.
    ...elsewhere.map((name) => plant('core', name, `fence-${name}`)),
    plant('cli', 'vitest', 'no-dev-dependency'),
    plant('cli', '@aws-sdk/client-s3', 'no-dev-dependency'),
    plant('cli', 'typescript', 'unfenced-package'),
    plant('cli', 'not-installed-anywhere', 'resolvable'),
  ];
}

function shapePlants(): readonly Plant[] {
  return [
    plant('identity', './planted-kind/member.ts', 'identity-kinds-table'),
    plant('cli', '../identity/planted-kind/member.ts', 'identity-kinds-table'),
    plant('identity/planted-other', '../planted-kind/member.ts', 'identity-kinds-apart'),
    plant('sts', './actions/planted-member.ts', 'table-sts-actions'),
    plant('s3', './operations/planted-member.ts', 'table-s3-operations'),
    plant('iam', './conditions/planted-member.ts', 'table-iam-conditions'),
    plant('cli', '../planted-folder/planted-target.ts', 'unknown-folder-imported'),
    plant('planted-folder', '../core/planted-target.ts', 'unknown-folder'),
    plant('cli', '../../test/planted-target.ts', 'stays-inside-src'),
    plant('cli', './does-not-exist.ts', 'resolvable'),
    plant('core', './planted-target.ts', 'no-orphan'),
  ];
}

const CYCLE: readonly PlantedFile[] = [
  { path: 'src/core/planted-a.ts', text: "import { type B } from './planted-b.ts';\nexport type A = B;\n" },
  { path: 'src/core/planted-b.ts', text: "import type { A } from './planted-a.ts';\nexport type B = A;\n" },
];

const PLANTS: readonly Plant[] = [
  ...layerPlants(),
  ...fileLevelPlants(),
  ...packagePlants(),
  ...shapePlants(),
];

describe('the import check', () => {
  const added = [...TARGETS, ...CYCLE, ...PLANTS.map(({ file }) => file)];
  let planted: Verdict;
  beforeAll(async () => {
    planted = await cruiseCopy(added);
  }, 120_000);

  const violationsOf = ({ path }: PlantedFile): readonly Violation[] =>
    planted.violations.filter(({ from }) => from === path);

  it('finds nothing in the source as it is', () => {
    const paths = new Set(added.map(({ path }) => path));
    expect(planted.violations.filter(({ from }) => !paths.has(from))).toEqual([]);
  });

  it('fails where something forbidden is planted', () => {
    expect(planted.exitCode).not.toBe(0);
  });

  it.each(PLANTS.filter(({ rule }) => rule !== undefined))('refuses $title ($rule)', ({ file, rule }) => {
    expect(violationsOf(file).map((violation) => violation.rule)).toContain(rule);
  });

  it.each(PLANTS.filter(({ rule }) => rule === undefined))('accepts $title', ({ file }) => {
    expect(violationsOf(file).filter((violation) => violation.rule !== 'no-orphan')).toEqual([]);
  });

  it('refuses a cycle even of types', () => {
    expect(CYCLE.flatMap(violationsOf).map((violation) => violation.rule)).toContain('no-cycle');
  });
});
