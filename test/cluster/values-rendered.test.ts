import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { testCaPem } from '../support/identity-provider.ts';
import { configurationOf, idp, podOf, render, settingsOf, template, type Values } from './rendered.ts';

describe('the rendered configuration', () => {
  it.each(['gateway', 'sidecar', 'everything'])(
    'is one that the program accepts: ci/%s-values.yaml',
    async (name) => {
      expect(settingsOf(await render(name)).server.listen.port).toBe(9000);
    },
  );

  it('has the Redis, the control listener and the revocations of the values', async () => {
    const { state, control, revocations } = settingsOf(await render('everything'));
    expect(state.redis?.url?.reveal()).toBe('rediss://:a-password@redis.storage.svc:6379/2');
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

  it('says what the store supports', async () => {
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
  ])('is restarted when %s changes', async (_, values) => {
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

describe('what may be used once', () => {
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
  ])('never runs in two pods at once without a Redis: %s', async (_, values) => {
    const documents = await render('gateway', values);
    const deployment = documents.find(({ kind }) => kind === 'Deployment');
    expect(deployment?.spec?.strategy).toEqual({ type: 'Recreate' });
  });

  it('does not keep other directories from having replicas', async () => {
    const documents = await render('gateway', { replicaCount: 3 });
    expect(documents.find(({ kind }) => kind === 'Deployment')?.spec).toMatchObject({ replicas: 3 });
  });
});

describe('the chart', () => {
  const control = { enabled: true, existingSecret: 'control' };

  it.each<[string, Values, string]>([
    [
      'missing metadata',
      { directory: { identityProviders: [saml] } },
      'the metadataFile company.xml of company is neither in samlMetadata nor',
    ],
    [
      'metadata that is given twice',
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
    ['one port for S3 and metrics', { ports: { s3: 9090 } }, 'ports.admin: 9090 is the port of ports.s3'],
    [
      'client certificates for probes',
      { config: { admin: { tls: { certFile: '/a', keyFile: '/b', clientCaFile: '/etc/ca/ca.pem' } } } },
      'config.admin.tls.clientCaFile: the probes of Kubernetes show no certificate',
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

  it('has the listener for container credentials in sidecar mode only where it is switched on', async () => {
    expect(settingsOf(await render('sidecar')).containerCredentials).toEqual({});
    const scopeDownPolicy = { Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } };
    const enabled = await render('sidecar', { containerCredentials: { enabled: true, scopeDownPolicy } });
    const { listen, scopeDownPolicy: policy = '' } = settingsOf(enabled).containerCredentials;
    expect(listen).toEqual({ host: '127.0.0.1', port: 9092 });
    expect(JSON.parse(policy)).toEqual(scopeDownPolicy);
    const ports = JSON.stringify(podOf(enabled).spec);
    expect(ports).not.toContain('9092');
  });

  it('fails with a message for the port of container credentials as the port of the store', async () => {
    const values = { containerCredentials: { enabled: true }, store: { port: 9092 } };
    const { code, stderr } = await template('sidecar', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain('store.port: 9092 is the port of containerCredentials');
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
    ['a proxy that is not text', { trustedProxies: [10] }],
    ['container credentials in a pod without an application', { containerCredentials: { enabled: true } }],
    ['another address of container credentials', { containerCredentials: { listen: '0.0.0.0:9092' } }],
    ['control without a Secret', { control: { enabled: true } }],
    ['a token as a value', { control: { ...control, token: 'abc' } }],
    ['another address of control', { control: { ...control, listen: '0.0.0.0:9091' } }],
    ['the URL of a Redis as a value', { state: { redis: { url: 'redis://:password@redis' } } }],
    ['certificates without a Redis', { state: { redis: { caFile: '/etc/ca/ca.pem' } } }],
    ['certificates that no mount can have', { state: { redis: { existingSecret: 'a', caFile: 'ca.pem' } } }],
    ['a staleness of nothing', { state: { maxStalenessSeconds: 0 } }],
    ['a staleness beyond a day', { state: { maxStalenessSeconds: 86_401 } }],
    ['a revocation of an unknown kind', { revocations: [{ group: 'a' }] }],
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
});
