import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Application } from './application.ts';
import { Namespace } from './kubernetes.ts';
import { Load } from './load.ts';
import { chartValues, existingStore } from './values.ts';

const release = 'gateway';

/** The store of the tests with a folder for further keys. */
const storeWithUsers = existingStore
  .replace('posix, /data', '--iam-dir, /iam, posix, /data')
  .replace('mountPath: /data }', 'mountPath: /data }, { name: iam, mountPath: /iam }')
  .replace('[{ name: data, emptyDir: {} }]', '[{ name: data, emptyDir: {} }, { name: iam, emptyDir: {} }]');

/** The smallest values that the chart of 0.1.0 took in gateway mode; they must go on to work. */
const oldest = {
  mode: 'gateway',
  backend: { endpoint: 'http://store:9000', existingSecret: 'store-key' },
} as const;

const tenWrites = `
for _ in range(10):
    try:
        boto3.client('s3').put_object(Bucket='reports', Key='late.txt', Body=b'late')
        print('allowed')
    except s3.exceptions.ClientError as error:
        print(error.response['Error']['Code'])
`;

describe('two replicas under load', () => {
  const namespace = new Namespace('operation');
  let folder: string;
  let application: Application;
  let load: Load;

  /** Installs or upgrades with the values of 0.1.0 and more, and waits for every pod. */
  const helm = async (verb: 'install' | 'upgrade', more: object): Promise<void> => {
    const file = join(folder, 'values.json');
    const actions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'] as const;
    const values = { ...chartValues(namespace.name, release, actions), ...oldest, ...more };
    await writeFile(file, JSON.stringify(values));
    const words = [verb, release, 'helm/sts-sidecar', '-f', file, '--wait', '--timeout=90s'];
    const outcome = await namespace.helm(...words);
    if (outcome.code !== 0) {
      const pods = await namespace.kubectl('get', 'pods', '-o', 'wide');
      throw new Error(`${outcome.stdout}${outcome.stderr}\n${pods}`);
    }
    await namespace.kubectl('rollout', 'status', `deployment/${release}`, '--timeout=90s');
  };

  const scaled = {
    replicaCount: 2,
    autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 3 },
    podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
    networkPolicy: { enabled: true },
  };
  const withKeys = (keys: readonly string[], sealWith: string): object => ({
    ...scaled,
    tokens: { existingSecret: 'token-keys', keys, sealWith },
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-operation-'));
    await namespace.create();
    await namespace.apply(storeWithUsers);
    await namespace.kubectl('rollout', 'status', 'deployment/store', '--timeout=90s');
  });

  afterAll(async () => {
    await namespace.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('come up with the values of 0.1.0', async () => {
    await helm('install', {});
    application = await Application.start(namespace, {
      name: 'app',
      endpoint: `http://${release}:9000`,
      role: 'reports',
    });
    const made = await application.boto3("s3.create_bucket(Bucket='reports')");
    expect(made.code, made.stderr).toBe(0);
    load = new Load(namespace, 'app');
  });

  it('get autoscaler, disruption budget and network policy, which the API server accepts', async () => {
    await helm('upgrade', scaled);
    const budget = async (): Promise<unknown> =>
      (
        JSON.parse(await namespace.kubectl('get', 'poddisruptionbudget', release, '-o', 'json')) as {
          status: unknown;
        }
      ).status;
    await expect
      .poll(budget, { timeout: 30_000, interval: 500 })
      .toMatchObject({ expectedPods: 2, currentHealthy: 2, disruptionsAllowed: 1 });
    const kinds = ['horizontalpodautoscaler', 'networkpolicy'];
    for (const kind of kinds) expect(await namespace.kubectl('get', kind, '-o', 'name')).toContain(release);
  });

  it('are replaced one after the other', async () => {
    await namespace.kubectl('rollout', 'restart', `deployment/${release}`);
    await namespace.kubectl('rollout', 'status', `deployment/${release}`, '--timeout=90s');
  });

  it('get another token key: appended, promoted, the old one removed', async () => {
    const key = randomBytes(32).toString('base64');
    const patch = JSON.stringify({ stringData: { k2: key } });
    await namespace.kubectl('patch', 'secret', 'token-keys', '--patch', patch);
    await helm('upgrade', withKeys(['k1', 'k2'], 'k1'));
    await helm('upgrade', withKeys(['k1', 'k2'], 'k2'));
    // The load renews its credentials every second.
    await application.boto3('import time\ntime.sleep(3)');
    await helm('upgrade', withKeys(['k2'], 'k2'));
  });

  it('get another key of the store', async () => {
    const secret = randomBytes(24).toString('base64url');
    const { data } = JSON.parse(await namespace.kubectl('get', 'secret', 'store-key', '-o', 'json')) as {
      data: Record<string, string>;
    };
    const own = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    const made = await namespace.exec(
      'deployment/store',
      ...['/app/versitygw', 'admin', '--endpoint-url', 'http://127.0.0.1:9000'],
      ...['--access', own('access-key-id'), '--secret', own('secret-access-key'), 'create-user'],
      ...['--access', 'STOREKEYOFTHETESTS02', '--secret', secret, '--role', 'admin'],
    );
    expect(made.code, made.stdout + made.stderr).toBe(0);
    await namespace.kubectl(
      ...['create', 'secret', 'generic', 'store-key-2', '--from-literal=access-key-id=STOREKEYOFTHETESTS02'],
      `--from-literal=secret-access-key=${secret}`,
    );
    await helm('upgrade', {
      ...withKeys(['k2'], 'k2'),
      backend: { ...oldest.backend, existingSecret: 'store-key-2' },
    });
  });

  it('have lost no request of the load', async () => {
    const { served, failed } = await load.stop();
    expect(failed).toEqual([]);
    expect(served).toBeGreaterThan(100);
  });

  it('take over a changed ConfigMap without a restart', { timeout: 150_000 }, async () => {
    const pods = async (): Promise<string[]> => {
      const form =
        '{range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount}{"\\n"}{end}';
      const selected = ['-l', `app.kubernetes.io/instance=${release}`, '-o', `jsonpath=${form}`];
      return (await namespace.kubectl('get', 'pods', ...selected)).trim().split('\n').sort();
    };
    // Those of the step before may still be on their way out.
    await expect.poll(pods, { timeout: 60_000, interval: 500 }).toHaveLength(2);
    const before = await pods();
    const map = JSON.parse(await namespace.kubectl('get', 'configmap', release, '-o', 'json')) as {
      data: Record<string, string>;
    };
    const text = map.data['sidecar.yaml'] ?? '';
    const changed = text.replaceAll('s3:PutObject', 's3:PutObjectAcl');
    expect(changed).not.toBe(text);
    await namespace.kubectl(
      ...['patch', 'configmap', release, '--type=merge', '--patch'],
      JSON.stringify({ data: { 'sidecar.yaml': changed } }),
    );
    // A changed annotation makes the kubelet look at a pod at once, and not at its next turn a minute later.
    await namespace.kubectl(
      ...['annotate', 'pods', '-l', `app.kubernetes.io/instance=${release}`, 'synchronise=now'],
    );
    // Each request has a connection of its own, so that both pods are asked.
    const answers = async (): Promise<string> => (await application.boto3(tenWrites)).stdout;
    await expect.poll(answers, { timeout: 15_000, interval: 250 }).toBe('AccessDenied\n'.repeat(10));
    expect(await pods()).toEqual(before);
  });
});
