import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Application } from './application.ts';
import { Namespace } from './kubernetes.ts';
import {
  chartValues,
  deployedStore,
  existingStore,
  type ObjectAction,
  userSecret,
  withUser,
} from './values.ts';

const chart = 'helm/sts-sidecar';
const release = 'files';
const everything: readonly ObjectAction[] = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];

const modes = [
  {
    mode: 'gateway',
    workload: `deployment/${release}`,
    values: { backend: { endpoint: 'http://store:9000', existingSecret: 'store-key' } },
    prepare: async (namespace: Namespace): Promise<void> => {
      await namespace.apply(existingStore);
      await namespace.kubectl('rollout', 'status', 'deployment/store', '--timeout=90s');
    },
  },
  {
    mode: 'sidecar',
    workload: `statefulset/${release}`,
    values: { backend: { existingSecret: 'store-key' }, store: deployedStore },
    prepare: async (): Promise<void> => undefined,
  },
] as const;

describe.each(modes)('the chart in $mode mode', ({ mode, workload, values, prepare }) => {
  const namespace = new Namespace(`chart-${mode}`);
  let folder: string;
  let application: Application;

  const valuesFile = async (actions: readonly ObjectAction[]): Promise<string> => {
    const file = join(folder, `values-${actions.length}.json`);
    await writeFile(
      file,
      JSON.stringify({ mode, ...chartValues(namespace.name, release, actions), ...values }),
    );
    return file;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-values-'));
    await namespace.create();
    await prepare(namespace);
  });

  afterAll(async () => {
    await namespace.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('refuses an unknown value', async () => {
    const outcome = await namespace.helm(
      'install',
      release,
      chart,
      '-f',
      await valuesFile(everything),
      '--set',
      'backend.endpiont=http://store',
    );
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain("additional properties 'endpiont' not allowed");
  });

  it('is installed by helm in a namespace that enforces the restricted profile', async () => {
    const outcome = await namespace.helm(
      'install',
      release,
      chart,
      '-f',
      await valuesFile(everything),
      '--wait',
      '--timeout=90s',
    );
    if (outcome.code !== 0) throw new Error(await explain(namespace, outcome.stderr));
    expect(outcome.stdout).toContain(`AWS_ENDPOINT_URL_STS=http://${release}.${namespace.name}.svc:9000`);
    expect(outcome.stdout).toContain('What is not safe');
  });

  it('passes helm test: assumes a role, puts, gets and is denied', async () => {
    const outcome = await namespace.helm('test', release, '--timeout=60s');
    if (outcome.code !== 0) throw new Error(await explain(namespace, outcome.stdout + outcome.stderr));
  });

  it('serves a pod that has a projected token and four variables: boto3', async () => {
    application = await Application.start(namespace, {
      name: 'app',
      endpoint: `http://${release}:9000`,
      role: 'reports',
    });
    const outcome = await application.boto3(
      "s3.put_object(Bucket='reports', Key='boto3.txt', Body=b'from boto3')\nprint(s3.get_object(Bucket='reports', Key='boto3.txt')['Body'].read())",
    );
    expect(outcome.stdout, outcome.stderr).toBe("b'from boto3'\n");
  });

  it('serves a pod that has a projected token and four variables: the AWS SDK for JavaScript', async () => {
    const outcome = await application.javascript(
      "await s3.send(new PutObjectCommand({ Bucket: 'reports', Key: 'js.txt', Body: 'from javascript' }));\nconsole.log(await (await s3.send(new GetObjectCommand({ Bucket: 'reports', Key: 'js.txt' }))).Body.transformToString());",
    );
    expect(outcome.stdout, outcome.stderr).toBe('from javascript\n');
  });

  it('refuses what the policy denies', async () => {
    const outcome = await application.boto3("s3.get_object(Bucket='reports', Key='private/plan.txt')");
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain('(AccessDenied) when calling the GetObject operation');
  });

  it('refuses a pod with another service account', async () => {
    const stranger = await Application.start(namespace, {
      name: 'stranger',
      endpoint: `http://${release}:9000`,
      role: 'reports',
    });
    const outcome = await stranger.boto3("s3.get_object(Bucket='reports', Key='boto3.txt')");
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain('(AccessDenied) when calling the AssumeRoleWithWebIdentity operation');
  });

  it('refuses a token for another audience', async () => {
    const elsewhere = await Application.start(namespace, {
      name: 'elsewhere',
      endpoint: `http://${release}:9000`,
      role: 'reports',
      audience: 'another-service',
    });
    const outcome = await elsewhere.boto3("s3.get_object(Bucket='reports', Key='boto3.txt')");
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain(
      '(InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation',
    );
  });

  it('holds no secret in a ConfigMap', async () => {
    const secret = JSON.parse(await namespace.kubectl('get', 'secret', 'store-key', '-o', 'json')) as {
      data: Record<string, string>;
    };
    const configuration = await namespace.kubectl('get', 'configmaps', '-o', 'yaml');
    for (const value of Object.values(secret.data)) {
      expect(configuration).not.toContain(Buffer.from(value, 'base64').toString());
    }
  });

  it('applies a policy that helm upgrade changed', async () => {
    const outcome = await namespace.helm(
      'upgrade',
      release,
      chart,
      '-f',
      await valuesFile(['s3:GetObject']),
      '--wait',
      '--timeout=90s',
    );
    if (outcome.code !== 0) throw new Error(await explain(namespace, outcome.stderr));
    await namespace.kubectl('rollout', 'status', workload, '--timeout=60s');
    // The old pod may get requests until the Service's rules are rewritten.
    const put = async (): Promise<string> =>
      (await application.boto3("s3.put_object(Bucket='reports', Key='late.txt', Body=b'late')")).stderr;
    await expect
      .poll(put, { timeout: 20_000, interval: 500 })
      .toContain('(AccessDenied) when calling the PutObject operation');
  });

  it("passes helm test with a user's key, which comes from a Secret", async () => {
    const secret = randomBytes(24).toString('base64url');
    await namespace.kubectl(
      ...['create', 'secret', 'generic', userSecret.name, `--from-literal=secret-access-key=${secret}`],
      `--from-literal=access-key-id=${userSecret.accessKeyId}`,
    );
    const file = join(folder, 'values-user.json');
    const all = { mode, ...chartValues(namespace.name, release, everything), ...values };
    await writeFile(file, JSON.stringify(withUser(all)));
    for (const step of [
      ['upgrade', release, chart, '-f', file, '--wait', '--timeout=90s'],
      ['test', release, '--timeout=60s'],
    ]) {
      const outcome = await namespace.helm(...step);
      if (outcome.code !== 0) throw new Error(await explain(namespace, outcome.stdout + outcome.stderr));
    }
    expect(await namespace.kubectl('get', 'configmaps', '-o', 'yaml')).not.toContain(secret);
  });

  it('leaves nothing after helm uninstall', async () => {
    const outcome = await namespace.helm('uninstall', release, '--wait', '--timeout=90s');
    expect(outcome.code, outcome.stderr).toBe(0);
    await expect.poll(() => namespace.remains(release), { timeout: 60_000, interval: 500 }).toEqual([]);
  });
});

// What the cluster says, for the message of a failed step.
async function explain(namespace: Namespace, output: string): Promise<string> {
  const pods = await namespace.kubectl('get', 'pods', '-o', 'wide');
  const events = await namespace.kubectl('get', 'events', '--sort-by=.lastTimestamp');
  const logs = await namespace
    .kubectl('logs', '-l', 'app.kubernetes.io/name=sts-sidecar', '--all-containers', '--prefix', '--tail=20')
    .catch(String);
  const test = await namespace.kubectl('logs', `${release}-test`).catch(() => '');
  return [output, pods, events.slice(-3000), logs, test].join('\n');
}
