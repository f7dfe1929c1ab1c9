import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Namespace } from './kubernetes.ts';
import type { Outcome } from './run.ts';
import { chartValues, deployedStore } from './values.ts';

const chart = 'helm/sts-sidecar';
const release = 'store';
const namespace = new Namespace('injected');
const role = 'arn:aws:iam::123456789012:role/reports';
let folder: string;
let notes: string;

/** An application's manifest that knows nothing of the sidecar, but for the annotations. */
interface Wanted {
  readonly name: string;
  readonly serviceAccount?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly env?: readonly object[];
}

function podOf({ name, serviceAccount = 'app', annotations = {}, env = [] }: Wanted): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: {
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'application',
          image: 'amazon/aws-cli:2.31.0',
          command: ['sleep', 'infinity'],
          env,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });
}

const serviceAccount = (name: string, annotations: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, annotations } });

/** Writes and reads an object with boto3, which is told nothing. */
const boto3 = (pod: string): Promise<Outcome> =>
  namespace.exec(
    pod,
    'python3',
    '-c',
    "import boto3\ns3 = boto3.client('s3')\ns3.put_object(Bucket='reports', Key='injected.txt', Body=b'x')\nprint(s3.get_object(Bucket='reports', Key='injected.txt')['Body'].read())",
  );

/** The same pod with the sidecar of the chart's own pod beside the application. */
async function withSidecar(pod: string): Promise<string> {
  const text = await namespace.kubectl('get', 'statefulset', release, '-o', 'json');
  const { template } = (JSON.parse(text) as { spec: { template: CreatedPod } }).spec;
  const { initContainers, volumes = [], securityContext } = template.spec;
  const own = JSON.parse(pod) as { spec: object };
  const needed = volumes.filter(({ name }) => name !== 'data' && name !== 'scratch');
  return JSON.stringify({ ...own, spec: { ...own.spec, initContainers, volumes: needed, securityContext } });
}

interface CreatedPod {
  readonly spec: {
    readonly initContainers?: readonly object[];
    readonly securityContext?: object;
    readonly volumes?: readonly { readonly name: string }[];
    readonly containers: readonly [{ readonly env?: readonly { readonly name: string }[] }];
  };
}
async function created(name: string): Promise<CreatedPod['spec']> {
  const text = await namespace.kubectl('get', 'pod', name, '-o', 'json');
  return (JSON.parse(text) as CreatedPod).spec;
}

async function install(
  failurePolicy: 'Fail' | 'Ignore',
  route: 'web-identity' | 'container' = 'web-identity',
): Promise<Outcome> {
  const file = join(folder, `${failurePolicy}.json`);
  const values = {
    mode: 'sidecar',
    ...chartValues(namespace.name, release, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    backend: { existingSecret: 'store-key' },
    store: deployedStore,
    containerCredentials: { enabled: true },
    injector: {
      enabled: true,
      route,
      replicaCount: 1,
      failurePolicy,
      timeoutSeconds: 2,
      // Other suites use the same cluster.
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace.name } },
    },
  };
  await writeFile(file, JSON.stringify(values));
  return namespace.helm('upgrade', '--install', release, chart, '-f', file, '--wait', '--timeout=120s');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-injector-'));
  await namespace.create();
  const outcome = await install('Fail');
  if (outcome.code !== 0)
    throw new Error(`${outcome.stderr}\n${await namespace.kubectl('get', 'pods,events')}`);
  notes = outcome.stdout;
  // Makes the bucket.
  const test = await namespace.helm('test', release, '--timeout=60s');
  if (test.code !== 0) throw new Error(test.stdout + test.stderr);
  await namespace.apply(serviceAccount('app'));
  await namespace.apply(serviceAccount('annotated', { 'sts-sidecar/role-arn': role }));
});

afterAll(async () => {
  await namespace.helm('uninstall', release, '--wait', '--timeout=60s');
  await namespace.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Waits until a pod is ready; the error says what its containers and the cluster said. */
async function ready(name: string): Promise<void> {
  try {
    await namespace.kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s');
  } catch (error) {
    const events = await namespace.kubectl('describe', 'pod', name);
    const logs = await namespace.kubectl('logs', name, '--all-containers', '--tail=20').catch(String);
    throw new Error([String(error), events.slice(-2000), logs].join('\n'));
  }
}

describe('a cluster with the injector', () => {
  it('lets a pod with one annotation use its bucket', async () => {
    await namespace.apply(podOf({ name: 'one', annotations: { 'sts-sidecar/role-arn': role } }));
    await ready('one');
    const outcome = await boto3('one');
    expect(outcome.stdout, outcome.stderr).toBe("b'x'\n");
  });

  it('leaves a pod without an annotation as it is', async () => {
    await namespace.apply(podOf({ name: 'plain' }));
    const { volumes = [], containers } = await created('plain');
    expect(volumes).toEqual([]);
    expect(containers[0].env ?? []).toEqual([]);
  });

  it('gives a pod the role of its service account, which its trust policy may refuse', async () => {
    await namespace.apply(podOf({ name: 'two', serviceAccount: 'annotated' }));
    await ready('two');
    const { containers } = await created('two');
    expect(containers[0].env).toContainEqual({ name: 'AWS_ROLE_ARN', value: role });
    const outcome = await boto3('two');
    expect(outcome.stderr).toContain('(AccessDenied) when calling the AssumeRoleWithWebIdentity operation');
  });

  it.each([
    ['that is none', 'reports', 'is not the ARN of a role'],
    ['that is not configured', `${role}-of-others`, 'is not configured'],
  ])('refuses a pod with a role %s', async (_, arn, message) => {
    const pod = podOf({ name: 'refused', annotations: { 'sts-sidecar/role-arn': arn } });
    await expect(namespace.apply(pod)).rejects.toThrow(message);
  });

  it('leaves a container with credentials of its own as it is', async () => {
    const env = [{ name: 'AWS_ACCESS_KEY_ID', value: 'AKIAOWN' }];
    await namespace.apply(podOf({ name: 'own', annotations: { 'sts-sidecar/role-arn': role }, env }));
    expect((await created('own')).containers[0].env).toEqual(env);
  });

  it('gives a pod with a sidecar of its own the variables of the container credentials endpoint', async () => {
    expect(notes).toContain(
      `AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9092/v1/credentials?roleArn=`,
    );
    const before = await namespace.kubectl(
      ...['get', 'pods', '-l', 'app.kubernetes.io/component=injector', '-o', 'name'],
    );
    expect((await install('Fail', 'container')).code).toBe(0);
    // The API server keeps its connections to them.
    await namespace.kubectl('wait', '--for=delete', ...before.trim().split('\n'), '--timeout=60s');
    const annotations = { 'sts-sidecar/role-arn': role, 'sts-sidecar/skip-containers': 'sts-sidecar' };
    await namespace.apply(await withSidecar(podOf({ name: 'beside', annotations })));
    await ready('beside');
    const names = ((await created('beside')).containers[0].env ?? []).map(({ name }) => name);
    expect(names).toContain('AWS_CONTAINER_CREDENTIALS_FULL_URI');
    expect(names).not.toContain('AWS_ROLE_ARN');
    const outcome = await boto3('beside');
    expect(outcome.stdout, outcome.stderr).toBe("b'x'\n");
  });

  it('does not answer other pods on the port of container credentials', async () => {
    const address = await namespace.kubectl('get', 'pod', `${release}-0`, '-o', 'jsonpath={.status.podIP}');
    const outcome = await namespace.exec(
      'one',
      'python3',
      '-c',
      `import socket\nsocket.create_connection(('${address}', 9092), 5)`,
    );
    expect(outcome.stderr).toContain('ConnectionRefusedError');
  });

  it('keeps its certificate when it is upgraded', async () => {
    const certificate = (): Promise<string> =>
      namespace.kubectl('get', 'secret', `${release}-injector`, '-o', 'jsonpath={.data}');
    const before = await certificate();
    expect((await install('Fail')).code).toBe(0);
    expect(await certificate()).toBe(before);
  });

  it('is followed by no pod while it is gone and failures count', async () => {
    await namespace.kubectl('scale', 'deployment', `${release}-injector`, '--replicas=0');
    await namespace.kubectl(
      ...['wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/component=injector', '--timeout=60s'],
    );
    await expect(namespace.apply(podOf({ name: 'late' }))).rejects.toThrow('failed calling webhook');
  });

  it('is followed by pods as they are while it is gone and failures are ignored', async () => {
    expect((await install('Ignore')).code).toBe(0);
    await namespace.kubectl('scale', 'deployment', `${release}-injector`, '--replicas=0');
    await namespace.kubectl(
      ...['wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/component=injector', '--timeout=60s'],
    );
    await namespace.apply(podOf({ name: 'late', annotations: { 'sts-sidecar/role-arn': role } }));
    await ready('late');
    expect((await created('late')).volumes ?? []).toEqual([]);
  });
});
