import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { load, podOf, render, settingsOf, template, type Values } from './rendered.ts';

const literal = 'a-literal-secret-of-32-characters';
const saml = { kind: 'saml', name: 'company', metadataFile: 'company.xml' };
const device = { serialNumber: 'arn:aws:iam::123456789012:mfa/alice', totpSecret: { env: 'ALICE_TOTP' } };
const withMfa = { users: [{ name: 'alice', mfaDevices: [device] }] };
/** Removes the directory of ci/gateway-values.yaml. */
const noDirectory = { directory: null };

describe('the value config', () => {
  it('takes the whole file, as the program reads it without the chart', async () => {
    const values = parse(await readFile('helm/sts-sidecar/ci/config-values.yaml', 'utf8')) as Values;
    const alone = load(JSON.stringify(values['config']));
    if (!alone.ok) throw new Error(alone.problems.join('\n'));
    const limits = { ...alone.settings.server.limits, maxInFlight: 500, maxBufferedBytes: 33_554_432 };
    expect(settingsOf(await render('config'))).toEqual({
      ...alone.settings,
      server: { ...alone.settings.server, limits },
    });
  });

  it('needs no other Secret, and mounts none', async () => {
    const text = JSON.stringify(podOf(await render('config')));
    expect(text).not.toContain('secretKeyRef');
    expect(text).toContain('"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"');
    expect(podOf(await render('config')).spec.volumes.map((volume) => Object.values(volume)[0])).toEqual([
      'config',
      'api-access',
      'secrets',
    ]);
  });

  it('is laid over the other values', async () => {
    const config = {
      server: { limits: { maxInFlight: 7 } },
      backend: { region: 'eu-central-1', timeouts: { idleSeconds: 9 } },
      log: { requests: false },
      authorization: { listBuckets: 'strict' },
    };
    const others = { log: { level: 'warn' }, backend: { timeouts: { connectSeconds: 2 } } };
    const { server, backend, log, authorization } = settingsOf(
      await render('gateway', { ...others, config }),
    );
    expect(server.limits).toMatchObject({ maxInFlight: 7, maxConnections: 4000 });
    expect(backend).toMatchObject({ endpoint: 'http://store.storage.svc:9000', region: 'eu-central-1' });
    expect(backend.timeouts).toEqual({ connectSeconds: 2, headersSeconds: 60, idleSeconds: 9 });
    expect(log).toEqual({ level: 'warn', requests: false, objectKeys: 'full' });
    expect(authorization.listBuckets).toBe('strict');
  });

  it('replaces a reference to a secret as a whole', async () => {
    const secretAccessKey = { file: '/var/run/sts-sidecar/control/token' };
    const config = { backend: { credentials: { accessKeyId: 'STOREKEY', secretAccessKey } } };
    const { credentials } = settingsOf(await render('gateway', { config })).backend;
    expect(credentials.secretAccessKey.reveal()).toBe('a-token-of-the-control-listener');
  });

  it('restarts the pods', async () => {
    const before = podOf(await render('gateway')).metadata.annotations['checksum/config'];
    const config = { authorization: { enforcement: 'audit' } };
    const after = podOf(await render('gateway', { config })).metadata.annotations['checksum/config'];
    expect(after).not.toBe(before);
  });

  it.each<[string, Values, string]>([
    [
      'one-time codes of two pods',
      { ...noDirectory, replicaCount: 2, config: { directory: withMfa } },
      'replicaCount: 2 pods need state.redis.existingSecret, because a one-time code of user alice',
    ],
    [
      'a directory that the chart cannot read, and two pods',
      { ...noDirectory, replicaCount: 2, config: { directoryFile: '/etc/directory/directory.yaml' } },
      'replicaCount: 2 pods need state.redis.existingSecret, because a user in the directoryFile',
    ],
    [
      'missing metadata',
      { ...noDirectory, config: { directory: { identityProviders: [saml] } } },
      'the metadataFile company.xml of company is neither in samlMetadata nor',
    ],
    [
      'a second directory',
      { config: { directory: withMfa } },
      'config.directory: cannot be combined with the value directory',
    ],
    [
      'a directory file beside the directory',
      { config: { directoryFile: 'directory.yaml' } },
      'config.directoryFile: cannot be combined with the value directory',
    ],
    [
      'second revocations',
      { revocations: [{ user: 'a' }], config: { revocations: [{ user: 'b' }] } },
      'config.revocations: cannot be combined with the value revocations',
    ],
    [
      'a port that the Service does not lead to',
      { config: { server: { listen: '0.0.0.0:9001' } } },
      'config.server.listen: must have the port 9000',
    ],
    [
      'a port that the probes do not ask',
      { config: { admin: { listen: '0.0.0.0:9091' } } },
      'config.admin.listen: must have the port 9090',
    ],
    ...['127.0.0.1', 'localhost', '[::1]'].flatMap((host): [string, Values, string][] => [
      [
        `S3 on ${host}`,
        { config: { server: { listen: `${host}:9000` } } },
        `config.server.listen: ${host}:9000 is reached by no probe`,
      ],
      [
        `probes on ${host}`,
        { config: { admin: { listen: `${host}:9090` } } },
        `config.admin.listen: ${host}:9090 is reached by no probe`,
      ],
    ]),
    [
      'a grace period shorter than the drain',
      { config: { server: { drainSeconds: 600 } }, terminationGracePeriodSeconds: 604 },
      'terminationGracePeriodSeconds: must be at least 605',
    ],
    [
      'a grace period shorter than the drain by default',
      { terminationGracePeriodSeconds: 29 },
      'terminationGracePeriodSeconds: must be at least 30',
    ],
    [
      'the port of S3 for control',
      { config: { control: { listen: '127.0.0.1:9000', token: { env: 'ALICE_SECRET' } } } },
      'ports.s3: 9000 is the port of control',
    ],
    [
      'connections that strangers can all take',
      { config: { server: { limits: { maxConnections: 64 } } } },
      'limits.maxUnauthenticated: must be below limits.maxConnections',
    ],
  ])('fails with a message for %s', async (_, values, message) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it.each<[string, Values]>([
    ['an unknown setting', { config: { backend: { endpont: 'https://store.example.com' } } }],
    ['an unknown section', { config: { surprise: {} } }],
    ['a literal secret of the store', { config: { backend: { credentials: { secretAccessKey: literal } } } }],
    ['a literal token key', { config: { tokens: { sealWith: 'k', keys: [{ id: 'k', secret: literal }] } } }],
    ['a literal token of control', { config: { control: { token: literal } } }],
    ['the literal URL of a Redis', { config: { state: { redis: { url: 'redis://:password@redis' } } } }],
    [
      'a literal secret of a webhook',
      { config: { directory: { identityProviders: [{ authToken: literal }] } } },
    ],
    ['no Secret of the store', { backend: { existingSecret: '' }, config: { backend: { region: 'a' } } }],
    ['no token keys', { tokens: { existingSecret: '' }, config: { log: {} } }],
    ['no address of the store', { backend: { endpoint: '' }, config: { backend: {} } }],
    ['an unknown setting of log', { log: { levl: 'warn' } }],
    ['an unknown level of log', { log: { level: 'loud' } }],
    ['an unknown setting of outbound', { outbound: { proxy: 'http://proxy' } }],
    ['a time limit as text', { outbound: { timeoutSeconds: '3' } }],
  ])('refuses %s', async (_, values) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });

  it('does not move the store of sidecar mode', async () => {
    const config = { backend: { endpoint: 'https://store.example.com' } };
    const { code, stderr } = await template('sidecar', { config });
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });
});
