import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { policyVocabulary } from '../../src/app/policy-vocabulary.ts';
import { type LoadResult, parseConfiguration } from '../../src/config/load.ts';
import type { MemoryLimits } from '../../src/config/memory-estimate.ts';
import { systemClock } from '../../src/core/clock.ts';
import { testCaPem } from '../support/identity-provider.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { attempt, type Outcome } from './run.ts';

const idp = createSamlIdp({ roles: [], now: () => systemClock.now() });

type Values = Readonly<Record<string, unknown>>;

/** Renders the values of a file of `ci/` with some replaced. */
function template(name: string, values: Values = {}): Promise<Outcome> {
  const files = ['-f', `helm/sts-sidecar/ci/${name}-values.yaml`, '-f', '-'];
  const options = ['--kube-version=1.34.4', '--api-versions=monitoring.coreos.com/v1'];
  return attempt('helm', ['template', 'release', 'helm/sts-sidecar', ...files, ...options], {
    input: JSON.stringify(values),
  });
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly strategy?: object;
    readonly ports?: readonly object[];
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: Readonly<Record<string, unknown>> & { readonly volumes: readonly object[] };
    };
  };
}

async function render(name: string, values: Values = {}): Promise<readonly Rendered[]> {
  const { code, stdout, stderr } = await template(name, values);
  expect(code, stderr).toBe(0);
  // As Kubernetes reads it: 0440 is octal.
  return parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS() as Rendered);
}

function configurationOf(documents: readonly Rendered[]): Readonly<Record<string, string>> {
  const found = documents.find(
    ({ kind, data }) => kind === 'ConfigMap' && data?.['sidecar.yaml'] !== undefined,
  );
  if (found?.data === undefined) throw new Error('no configuration is rendered');
  return found.data;
}

function podOf(documents: readonly Rendered[]): NonNullable<Rendered['spec']>['template'] {
  const found = documents.find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  if (found?.spec === undefined) throw new Error('no workload is rendered');
  return found.spec.template;
}

const secrets: Readonly<Record<string, string>> = {
  '/var/run/sts-sidecar/state/redis-url': 'rediss://:a-password@redis.storage.svc:6379/2\n',
  '/var/run/sts-sidecar/control/token': 'a-token-of-the-control-listener\n',
  '/etc/ca/ca.pem': testCaPem,
};

const variables: Readonly<Record<string, string>> = {
  BACKEND_ACCESS_KEY_ID: 'STOREKEY',
  BACKEND_SECRET_ACCESS_KEY: 'a-secret-of-the-store',
  ALICE_SECRET: 'a-secret-of-alice',
  ALICE_TOTP: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
};

/** Loads a rendered configuration as the program does, with the files that the pod would have. */
function load(text: string, memory?: MemoryLimits): LoadResult {
  return parseConfiguration(text, 'sidecar.yaml', {
    vocabulary: policyVocabulary,
    ...(memory === undefined ? {} : { memory }),
    environment: (name) => variables[name],
    readText: (path) => {
      if (path.startsWith('/var/run/sts-sidecar/tokens/'))
        return { ok: true, text: Buffer.alloc(32, path).toString('base64') };
      const found = path.endsWith('.xml') ? idp.metadata.replace('/metadata"', `/${path}"`) : secrets[path];
      return found === undefined ? { ok: false, reason: 'is not in the pod' } : { ok: true, text: found };
    },
  });
}

/** The program's own view of a container of that size with the heap that the chart gives it. */
function warningsIn(documents: readonly Rendered[], containerMebibytes: number): readonly string[] {
  const [, oldSpace, semiSpace] =
    /^--max-old-space-size=(\d+) --max-semi-space-size=(\d+)$/.exec(nodeOptionsOf(documents) ?? '') ?? [];
  const memory = {
    containerBytes: containerMebibytes * 1_048_576,
    // V8 has three semi-spaces.
    heapBytes: (Number(oldSpace) + 3 * Number(semiSpace)) * 1_048_576,
  };
  const loaded = load(configurationOf(documents)['sidecar.yaml'] ?? '', memory);
  return loaded.ok ? loaded.warnings : loaded.problems;
}

function nodeOptionsOf(documents: readonly Rendered[]): string | undefined {
  const { initContainers = [], containers = [] } = podOf(documents).spec as {
    readonly initContainers?: readonly Container[];
    readonly containers?: readonly Container[];
  };
  const sidecar = [...initContainers, ...containers].find(({ name }) => name === 'sts-sidecar');
  const found = sidecar?.env?.filter(({ name }) => name === 'NODE_OPTIONS') ?? [];
  expect(found.length).toBeLessThan(2);
  return found[0]?.value;
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

function settingsOf(documents: readonly Rendered[]): Extract<LoadResult, { ok: true }>['settings'] {
  const loaded = load(configurationOf(documents)['sidecar.yaml'] ?? '');
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.settings;
}

describe('the rendered configuration', () => {
  it.each(['gateway', 'sidecar', 'everything'])(
    'is one that the program accepts: ci/%s-values.yaml',
    async (name) => {
      expect(settingsOf(await render(name)).server.listen.port).toBe(9000);
    },
  );

  it('has the Redis, the control listener and the revocations of the values', async () => {
    const { state, control, revocations } = settingsOf(await render('everything'));
    expect(state.redis?.url.reveal()).toBe('rediss://:a-password@redis.storage.svc:6379/2');
    expect(state.redis?.caPem?.trim()).toBe(testCaPem.trim());
    expect(state.maxStalenessSeconds).toBe(30);
    expect(control.listen).toEqual({ host: '127.0.0.1', port: 9091 });
    expect(control.token?.reveal()).toBe('a-token-of-the-control-listener');
    expect(revocations).toHaveLength(2);
  });

  it('has none of them when the values say nothing', async () => {
    const { state, control, revocations } = settingsOf(await render('gateway'));
    expect(state).toEqual({ maxStalenessSeconds: 60 });
    expect(control.token).toBeUndefined();
    expect(revocations).toEqual([]);
    const { volumes } = podOf(await render('gateway')).spec;
    expect(volumes.map((volume) => Object.values(volume)[0])).toEqual(
      expect.not.arrayContaining(['state', 'control']),
    );
  });

  it('says what the store has', async () => {
    expect(settingsOf(await render('everything')).backend.supports).toHaveLength(7);
    expect(settingsOf(await render('sidecar')).backend.supports).toContain('conditionalDelete');
    expect(settingsOf(await render('gateway')).backend.supports).toEqual([]);
  });

  it('holds no secret', async () => {
    const text = configurationOf(await render('everything'))['sidecar.yaml'] ?? '';
    const { state, control } = parse(text) as Readonly<Record<string, object>>;
    expect(state).toMatchObject({ redis: { url: { file: '/var/run/sts-sidecar/state/redis-url' } } });
    expect(control).toMatchObject({ token: { file: '/var/run/sts-sidecar/control/token' } });
  });
});

describe('memory', () => {
  it.each(['gateway', 'sidecar', 'everything'])(
    'holds the limits, and nothing but plain HTTP is warned of: ci/%s-values.yaml',
    async (name) => {
      const documents = await render(name);
      const warnings = warningsIn(documents, 320);
      expect(warnings.filter((warning) => !warning.includes('plain HTTP beyond loopback'))).toEqual([]);
      const isWarned = warnings.some((warning) =>
        warning.includes('server.listen: warning: speaks plain HTTP'),
      );
      expect(isWarned).toBe(name !== 'everything');
    },
  );

  it('has limits that the values name, and takes those of the values', async () => {
    const { limits } = settingsOf(await render('gateway')).server;
    expect(limits).toMatchObject({
      maxConnections: 4000,
      maxInFlight: 500,
      maxUnauthenticated: 64,
      maxBufferedBytes: 67_108_864,
    });
    const values = { limits: { maxConnections: 10_000, maxBufferedBytes: 17_179_869_184 } };
    expect(settingsOf(await render('gateway', values)).server.limits).toMatchObject({
      maxConnections: 10_000,
      maxInFlight: 500,
      maxBufferedBytes: 17_179_869_184,
    });
  });

  it('warns at start-up of limits that do not fit', async () => {
    const documents = await render('gateway', { limits: { maxConnections: 10_000 } });
    expect(warningsIn(documents, 320).join()).toContain('server.limits: warning: may need');
    const larger = { limits: { maxConnections: 10_000 }, resources: { limits: { memory: '512Mi' } } };
    expect(warningsIn(await render('gateway', larger), 512).join()).not.toContain('server.limits');
  });

  it.each<[string | number, number]>([
    ['320Mi', 128],
    ['1Gi', 409],
    ['1.5Gi', 614],
    ['512M', 195],
    ['400000Ki', 156],
    ['335544320', 128],
    [335_544_320, 128],
  ])('gives V8 two fifths of it: %s', async (memory, mebibytes) => {
    const documents = await render('sidecar', { resources: { limits: { memory } } });
    expect(nodeOptionsOf(documents)).toBe(`--max-old-space-size=${mebibytes} --max-semi-space-size=16`);
  });

  it('without a limit leaves the heap to the image', async () => {
    expect(
      nodeOptionsOf(await render('gateway', { resources: { limits: { memory: null } } })),
    ).toBeUndefined();
  });

  it('gives way to the NODE_OPTIONS of the values', async () => {
    const extraEnv = [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=200' }];
    expect(nodeOptionsOf(await render('gateway', { extraEnv }))).toBe('--max-old-space-size=200');
  });

  it('names the proxies that end TLS', async () => {
    const documents = await render('gateway', { trustedProxies: ['10.0.0.0/8'] });
    expect(settingsOf(documents).server.trustedProxies).toEqual([{ address: '10.0.0.0', prefixBits: 8 }]);
    expect(warningsIn(documents, 320).join()).not.toContain('server.listen');
  });
});

describe('the rendered pod', () => {
  it('gets the keys of the Secrets, and nothing else of them', async () => {
    const { volumes } = podOf(await render('everything')).spec;
    expect(volumes).toContainEqual({
      name: 'state',
      secret: { secretName: 'state', items: [{ key: 'redis-url', path: 'redis-url' }], defaultMode: 0o440 },
    });
    expect(volumes).toContainEqual({
      name: 'control',
      secret: { secretName: 'control', items: [{ key: 'control-token', path: 'token' }], defaultMode: 0o440 },
    });
  });

  it('finds metadata beside the configuration', async () => {
    const documents = await render('everything');
    expect(configurationOf(documents)['company.xml']).toContain(
      'entityID="https://idp.example.com/metadata"',
    );
    expect(podOf(documents).spec.volumes).toContainEqual({
      name: 'config',
      projected: {
        sources: [
          { configMap: { name: 's3' } },
          { configMap: { name: 'partner-metadata', items: [{ key: 'partner.xml', path: 'partner.xml' }] } },
          { secret: { name: 'guest-metadata', items: [{ key: 'guests.xml', path: 'guests.xml' }] } },
        ],
      },
    });
  });

  it('keeps every character of metadata', async () => {
    const text = `${idp.metadata}\r\n<!-- {{ .Values }} "quoted" 'single' \\ \u00e9 --> # : |\n\n`;
    const rendered = await render('gateway', { samlMetadata: { 'company.xml': text } });
    expect(configurationOf(rendered)['company.xml']).toBe(text);
  });

  it('does not show the control port in a Service or as a port of the container', async () => {
    const documents = await render('everything');
    const services = documents.filter(({ kind }) => kind === 'Service');
    expect(services.length).toBeGreaterThan(0);
    expect(JSON.stringify([services, podOf(documents)])).not.toContain('9091');
  });

  it.each<[string, Values]>([
    ['a revocation', { revocations: [{ role: 'data-reader' }] }],
    ['metadata', { samlMetadata: { 'company.xml': '<changed/>' } }],
    ['the staleness', { state: { maxStalenessSeconds: 61 } }],
    ['the control listener', { control: { enabled: true, existingSecret: 'control' } }],
  ])('is started anew when %s changes', async (_, values) => {
    const before = podOf(await render('gateway')).metadata.annotations['checksum/config'];
    const after = podOf(await render('gateway', values)).metadata.annotations['checksum/config'];
    expect(after).toMatch(/^[0-9a-f]{64}$/);
    expect(after).not.toBe(before);
  });
});

const alice = {
  name: 'alice',
  mfaDevices: [{ serialNumber: 'arn:aws:iam::123456789012:mfa/alice', totpSecret: { env: 'ALICE_TOTP' } }],
};
const saml = { kind: 'saml', name: 'company', metadataFile: 'company.xml' };
const metadata = { samlMetadata: { 'company.xml': '<a/>' } };
const withMfa = { directory: { users: [{ name: 'bob' }, alice] } };
const withSaml = { directory: { identityProviders: [saml] }, ...metadata };
const redis = { state: { redis: { existingSecret: 'state' } } };

describe('what is good once', () => {
  it.each<[string, Values, string]>([
    ['one-time codes', withMfa, 'a one-time code of user alice is good once'],
    ['assertions', withSaml, 'an assertion of SAML provider company is good once'],
  ])('needs a Redis for a second replica: %s', async (_, values, message) => {
    const { code, stderr } = await template('gateway', { ...values, replicaCount: 2 });
    expect(code).not.toBe(0);
    expect(stderr).toContain('replicaCount: 2 pods need state.redis.existingSecret');
    expect(stderr).toContain(message);
    const shared = await render('gateway', { ...values, ...redis, replicaCount: 2 });
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    expect(shared.find(({ kind }) => kind === 'Deployment')?.spec?.strategy).toEqual(strategy);
  });

  it.each([
    ['one-time codes', withMfa],
    ['assertions', withSaml],
  ])('is never told two pods at once without a Redis: %s', async (_, values) => {
    const documents = await render('gateway', values);
    const deployment = documents.find(({ kind }) => kind === 'Deployment');
    expect(deployment?.spec?.strategy).toEqual({ type: 'Recreate' });
  });

  it('does not keep a directory without it from having replicas', async () => {
    const documents = await render('gateway', { replicaCount: 3 });
    expect(documents.find(({ kind }) => kind === 'Deployment')?.spec).toMatchObject({ replicas: 3 });
  });
});

describe('the chart', () => {
  const control = { enabled: true, existingSecret: 'control' };

  it.each<[string, Values, string]>([
    [
      'metadata that is nowhere',
      { directory: { identityProviders: [saml] } },
      'the metadataFile company.xml of company is neither in samlMetadata nor',
    ],
    [
      'metadata that is there twice',
      { ...withSaml, existingSamlMetadata: [{ secret: 'a', keys: ['company.xml'] }] },
      'the file company.xml is given twice',
    ],
    [
      'memory that the idle sidecar takes',
      { resources: { limits: { memory: '128Mi' } } },
      'resources.limits.memory: 128 MiB are too few',
    ],
    [
      'connections that strangers can all take',
      { limits: { maxConnections: 64 } },
      'limits.maxUnauthenticated: must be below limits.maxConnections',
    ],
    ['the control port for S3', { control, ports: { s3: 9091 } }, 'ports.s3: 9091 is the port of control'],
    ['the control port for metrics', { control, ports: { admin: 9091 } }, 'ports.admin: 9091 is the port of'],
  ])('fails with a message for %s', async (_, values, message) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('fails with a message for the control port as the port of the store', async () => {
    const { code, stderr } = await template('sidecar', { control, store: { port: 9091 } });
    expect(code).not.toBe(0);
    expect(stderr).toContain('store.port: 9091 is the port of control');
  });

  it.each<[string, Values]>([
    ['a limit that does not exist', { limits: { maxConnection: 100 } }],
    ['no connections', { limits: { maxConnections: 0 } }],
    ['half a request', { limits: { maxInFlight: 1.5 } }],
    ['no strangers', { limits: { maxUnauthenticated: 0 } }],
    ['buffers that hold no document', { limits: { maxBufferedBytes: 1_048_576 } }],
    ['buffers as text', { limits: { maxBufferedBytes: '64Mi' } }],
    ['a head without time', { limits: { headersTimeoutSeconds: 0 } }],
    ['memory without a unit it knows', { resources: { limits: { memory: '320MB' } } }],
    ['memory in thousandths', { resources: { limits: { memory: '335544320000m' } } }],
    ['a proxy that is no text', { trustedProxies: [10] }],
    ['control without a Secret', { control: { enabled: true } }],
    ['a token as a value', { control: { ...control, token: 'abc' } }],
    ['another address of control', { control: { ...control, listen: '0.0.0.0:9091' } }],
    ['the URL of a Redis as a value', { state: { redis: { url: 'redis://:password@redis' } } }],
    ['certificates without a Redis', { state: { redis: { caFile: '/etc/ca/ca.pem' } } }],
    ['certificates that no mount can have', { state: { redis: { existingSecret: 'a', caFile: 'ca.pem' } } }],
    ['a staleness of nothing', { state: { maxStalenessSeconds: 0 } }],
    ['a staleness beyond a day', { state: { maxStalenessSeconds: 86_401 } }],
    ['a revocation of nobody it knows', { revocations: [{ group: 'a' }] }],
    ['an empty revocation', { revocations: [{}] }],
    ['metadata in the place of the configuration', { samlMetadata: { 'sidecar.yaml': 'a: b' } }],
    ['metadata outside the folder', { samlMetadata: { '../company.xml': '<a/>' } }],
    [
      'existing metadata in the place of the configuration',
      { existingSamlMetadata: [{ secret: 'a', keys: ['sidecar.yaml'] }] },
    ],
    ['existing metadata without keys', { existingSamlMetadata: [{ configMap: 'a' }] }],
    [
      'existing metadata of two kinds',
      { existingSamlMetadata: [{ configMap: 'a', secret: 'b', keys: ['c'] }] },
    ],
    [
      'a literal secret of a device',
      { directory: { users: [{ name: 'a', mfaDevices: [{ totpSecret: 'GEZDGNBVGY3TQOJQ' }] }] } },
    ],
  ])('refuses %s', async (_, values) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });

  it('describes every value in its README', async () => {
    const readme = await readFile('helm/sts-sidecar/README.md', 'utf8');
    const values = parse(await readFile('helm/sts-sidecar/values.yaml', 'utf8')) as Values;
    for (const name of Object.keys(values)) expect(readme).toMatch(new RegExp(`\`${name}[.\`]`));
  });
});
