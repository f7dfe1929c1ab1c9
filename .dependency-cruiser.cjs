/**
 * The one-way import table. Each folder of src lists everything it may import from the other folders; whatever is
 * not listed is refused, and so is a folder that has no row. `types` lists what may be imported as types only.
 * An entry is a folder, or a path inside one (without `src/`, a regular expression).
 */
const LAYERS = {
  core: {},
  sigv4: { values: ['core'] },
  iam: { values: ['core'] },
  tokens: { values: ['core'] },
  s3: { values: ['core'] },
  observe: { values: ['core'] },
  tracing: { values: ['core'] },
  audit: { values: ['core'], types: ['authenticate', 's3'] },
  state: { values: ['core'] },
  schema: { values: ['core'] },
  outbound: { values: ['core'] },
  'http-client': { values: ['core'] },
  tls: { values: ['core', 'edge/client-address\\.ts'], types: ['observe'] },
  identity: { values: ['core', 'outbound', 'state', 'schema'] },
  directory: { values: ['core', 'iam'] },
  config: {
    values: [
      'core',
      'schema',
      'iam/document\\.ts',
      'directory/(?:records|check-records)\\.ts',
      'revocation/(?:revocation-record|revocation-names)\\.ts',
      'identity/kinds?\\.ts',
    ],
    types: ['injector', 'tracing'],
  },
  revocation: { values: ['core', 'directory', 'state'], types: ['tokens'] },
  authenticate: { values: ['core', 'sigv4', 'tokens', 'directory', 'revocation'] },
  authorize: { values: ['core', 'iam', 'directory'], types: ['authenticate', 's3'] },
  forward: { values: ['core', 'sigv4', 'http-client'], types: ['authorize'] },
  sts: {
    values: [
      'core',
      'iam',
      'tokens',
      'directory',
      'identity/(?:provider|federated-identity|saml-identity)\\.ts',
      'authenticate',
      'state',
      'authorize/(?:global-keys|gather-policies|decide)\\.ts',
    ],
  },
  edge: {
    values: ['core', 's3', 'authenticate', 'authorize', 'sts', 'forward', 'observe', 'state', 'tls'],
    types: ['audit', 'tracing'],
  },
  control: {
    values: [
      'core',
      'tls',
      'revocation',
      'observe',
      'state',
      'forward/request-body\\.ts',
      'edge/(?:limits|one-at-a-time|record-debt|survive-errors)\\.ts',
    ],
  },
  container: {
    values: [
      'core',
      'observe',
      'state',
      'sts/(?:container-credentials|credentials|errors|handle|parameters)\\.ts',
      'edge/(?:audited-sts|client-address|connection-table|head-fault|limit-reporter|limits|one-at-a-time|read-head|request-trace|trusted-proxies)\\.ts',
    ],
    types: ['audit', 'tracing'],
  },
  injector: {
    values: [
      'core',
      'observe',
      'outbound',
      'forward/request-body\\.ts',
      'edge/(?:limits|one-at-a-time|record-debt|survive-errors)\\.ts',
    ],
    types: ['schema'],
  },
  demo: { values: ['core', 'sigv4', 's3/errors\\.ts'] },
};

/** May import everything: the composition root, the commands and the process entry. */
const UNRESTRICTED = ['^src/cli/', '^src/app(?:\\.ts$|/)', '^src/main\\.ts$'];

/** One constant beside them, for them alone. */
const VERSION = '^src/version\\.ts$';

/** Every package of the shipped program and the only places that may import it. A package without a row is refused. */
const FENCES = {
  jose: ['tokens/', 'identity/'],
  'prom-client': ['observe/'],
  pino: ['observe/'],
  '@opentelemetry/[a-z-]+': ['tracing/'],
  undici: ['outbound/'],
  'http-proxy-3': ['forward/passthrough'],
  otpauth: ['sts/mfa'],
  'lru-cache': ['core/bounded-cache\\.ts$'],
  '@redis/client': ['state/'],
  'xml-crypto': ['identity/saml/'],
  zod: [
    'config/',
    'schema/',
    'audit/audit-record\\.ts$',
    'identity/(?:kind|provider-forms|[^/]+/settings)\\.ts$',
  ],
  yaml: ['config/'],
  commander: ['cli/'],
};

/**
 * Folders whose members are reached through their table, `index.ts`, only. `shared` are files of the folder that are
 * no members; `readers` are files outside it that may import members.
 */
const TABLES = {
  'sts/actions': {},
  's3/operations': { readers: ['s3/document\\.ts$'] },
  'iam/conditions': { shared: ['condition\\.ts$', 'parse-conditions\\.ts$'] },
};

const inside = (entry) => (entry.includes('/') ? `^src/${entry}` : `^src/${entry}/`);
const anyOf = (patterns) => `(?:${patterns.join('|')})`;

const layerRules = Object.entries(LAYERS).flatMap(([folder, { values = [], types = [] }]) => [
  {
    name: `layer-${folder}`,
    comment: `src/${folder} may import only: ${[folder, ...values, ...types.map((t) => `${t} (types)`)].join(', ')}`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: '^src/', pathNot: anyOf([folder, ...values, ...types].map(inside)) },
  },
  ...types.map((target) => ({
    name: `types-only-${folder}-${target}`,
    comment: `src/${folder} may import src/${target} with \`import type\` only`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: inside(target), dependencyTypesNot: ['type-only'] },
  })),
]);

const known = anyOf([...Object.keys(LAYERS).map((folder) => `^src/${folder}/`), ...UNRESTRICTED, VERSION]);
const packagePath = (name) => `(?:^|/node_modules/|^node_modules/)${name}(?:/|$)`;

const fenceRules = Object.entries(FENCES).map(([name, places]) => ({
  name: `fence-${name}`,
  comment: `${name} may be imported only in: ${places.join(', ')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: anyOf(places.map((place) => `^src/${place}`)) },
  to: { path: packagePath(name) },
}));

const tableRules = Object.entries(TABLES).map(([folder, { shared = [], readers = [] }]) => ({
  name: `table-${folder.replace('/', '-')}`,
  comment: `only ${folder}/index.ts is imported from outside ${folder}`,
  severity: 'error',
  from: { path: '^src/', pathNot: anyOf([`${folder}/`, ...readers].map((place) => `^src/${place}`)) },
  to: {
    path: `^src/${folder}/`,
    pathNot: anyOf(['index\\.ts$', ...shared].map((file) => `^src/${folder}/${file}`)),
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...fenceRules,
    ...tableRules,
    {
      name: 'identity-kinds-apart',
      comment: 'an identity provider kind never imports another',
      severity: 'error',
      from: { path: '^src/identity/([^/]+)/' },
      to: { path: '^src/identity/[^/]+/', pathNot: '^src/identity/$1/' },
    },
    {
      name: 'identity-kinds-table',
      comment: 'only the table of kinds imports a kind',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/identity/(?:[^/]+/|kinds\\.ts$)' },
      to: { path: '^src/identity/[^/]+/' },
    },
    {
      name: 'version-imports-nothing',
      comment: 'src/version.ts is one constant',
      severity: 'error',
      from: { path: VERSION },
      to: {},
    },
    {
      name: 'unknown-folder',
      comment: 'a folder without a row in the import table neither imports nor is imported',
      severity: 'error',
      from: { path: '^src/', pathNot: known },
      to: {},
    },
    {
      name: 'unknown-folder-imported',
      comment: 'a folder without a row in the import table neither imports nor is imported',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/', pathNot: known },
    },
    {
      name: 'unfenced-package',
      comment: 'every package is fenced; add a row that says where it may be imported',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        pathNot: ['^src/', ...Object.keys(FENCES).map(packagePath)],
        dependencyTypesNot: ['core', 'local'],
        couldNotResolve: false,
      },
    },
    {
      name: 'no-dev-dependency',
      comment: 'the shipped program imports only what package.json lists under dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'stays-inside-src',
      comment: 'the shipped program imports nothing of the repository outside src',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: '^src/', dependencyTypes: ['local'] },
    },
    {
      name: 'resolvable',
      comment: 'every import leads somewhere',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycle',
      comment: 'no cycles, not even of types',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-orphan',
      comment: 'every module is reached from the process entry, but for the entry of its thread',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/cli/reload-worker\\.ts$', reachable: false },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
