import { describe, expect, it } from 'vitest';
import { decideReview, ReviewError, readReview } from '../../src/injector/admission.ts';
import type { InjectorSettings } from '../../src/injector/settings.ts';
import { injectorSettings } from '../support/injector-settings.ts';

const role = 'arn:aws:iam::123456789012:role/reports';

type Json = Readonly<Record<string, unknown>>;
interface Given {
  readonly annotations?: Json;
  readonly spec?: Json;
  readonly namespace?: string;
  /** Annotations of the service account; asking for it fails when absent. */
  readonly account?: Json;
  readonly settings?: Partial<InjectorSettings>;
}

const container: Json = { name: 'app', image: 'app:1' };
const podOf = ({ annotations, spec }: Given): Json => ({
  metadata: { name: 'app', ...(annotations === undefined ? {} : { annotations }) },
  spec: { serviceAccountName: 'reports', containers: [container], ...spec },
});
const reviewOf = (given: Given): Json => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'uid-1',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    operation: 'CREATE',
    namespace: given.namespace ?? 'apps',
    object: podOf(given),
  },
});

interface Response {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly patch?: string;
  readonly patchType?: string;
  readonly warnings?: readonly string[];
}

async function review(given: Given): Promise<Response> {
  const settings = { ...injectorSettings, ...given.settings };
  const subject = readReview(reviewOf(given), settings);
  const { answer } = await decideReview(subject, settings, async (namespace, name) => {
    if (given.account === undefined) throw new Error(`asked for ${namespace}/${name}`);
    return { metadata: { name, annotations: given.account } };
  });
  return (answer as { response: Response }).response;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

/** Applies a patch as the API server does. Only `add` occurs. */
function applied(pod: Json, { patch }: Response): Json {
  const result = structuredClone(pod) as Record<string, unknown>;
  const operations =
    patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[]);
  for (const { op, path, value } of operations) {
    expect(op).toBe('add');
    const parts = path.split('/').slice(1);
    const last = parts.pop() ?? '';
    let at: unknown = result;
    for (const part of parts) at = (at as Record<string, unknown>)[part];
    if (Array.isArray(at)) {
      expect(last).toBe('-');
      at.push(value);
    } else {
      expect(at).not.toHaveProperty([last]);
      (at as Record<string, unknown>)[last] = value;
    }
  }
  return result;
}

type PodSpec = { containers: Json[]; initContainers?: Json[]; volumes?: Json[] };
async function injected(given: Given): Promise<{ spec: PodSpec; response: Response }> {
  const response = await review(given);
  expect(response).toMatchObject({ uid: 'uid-1', allowed: true });
  return { spec: applied(podOf(given), response)['spec'] as PodSpec, response };
}
const asksFor = (arn: string): Json => ({ 'sts-sidecar/role-arn': arn });

const volume = {
  name: 'sts-sidecar-token',
  projected: {
    sources: [{ serviceAccountToken: { path: 'token', audience: 'sts-sidecar', expirationSeconds: 3600 } }],
  },
};
const mount = { name: 'sts-sidecar-token', mountPath: '/var/run/secrets/sts-sidecar', readOnly: true };
const webIdentity = [
  { name: 'AWS_ROLE_ARN', value: role },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/sts-sidecar/token' },
  { name: 'AWS_ENDPOINT_URL_STS', value: 'http://store.storage.svc:9000' },
  { name: 'AWS_ENDPOINT_URL_S3', value: 'http://store.storage.svc:9000' },
  { name: 'AWS_REGION', value: 'us-east-1' },
  { name: 'AWS_DEFAULT_REGION', value: 'us-east-1' },
];

describe('a pod that names a role', () => {
  it('gets the projected token and the variables for STS', async () => {
    const { spec } = await injected({ annotations: asksFor(role) });
    expect(spec.volumes).toEqual([volume]);
    expect(spec.containers).toEqual([{ ...container, env: webIdentity, volumeMounts: [mount] }]);
  });

  it('gets those of the container credentials endpoint where that is the route', async () => {
    const { spec } = await injected({
      annotations: asksFor('arn:aws:iam::123456789012:role/a+b'),
      settings: { route: 'container' },
    });
    const env = spec.containers[0]?.['env'] as { name: string }[] | undefined;
    const names = env?.map(({ name }) => name);
    expect(names).toEqual([
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
      'AWS_ENDPOINT_URL_S3',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
    ]);
    expect(spec.containers[0]?.['env']).toContainEqual({
      name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      value: 'http://127.0.0.1:9092/v1/credentials?roleArn=arn:aws:iam::123456789012:role/a%2Bb',
    });
  });

  it('keeps what it has: volumes, mounts, variables, init containers', async () => {
    const own = {
      volumes: [{ name: 'data', emptyDir: {} }],
      initContainers: [{ name: 'prepare', env: [{ name: 'A', value: 'b' }] }],
      containers: [container, { name: 'second', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    };
    const { spec } = await injected({ annotations: asksFor(role), spec: own });
    expect(spec.volumes).toEqual([...own.volumes, volume]);
    expect(spec.initContainers?.[0]?.['env']).toEqual([{ name: 'A', value: 'b' }, ...webIdentity]);
    expect(spec.containers[1]).toEqual({
      name: 'second',
      volumeMounts: [{ name: 'data', mountPath: '/data' }, mount],
      env: webIdentity,
    });
  });

  it('keeps its own endpoints and region', async () => {
    const env = [
      { name: 'AWS_ENDPOINT_URL_S3', value: 'http://elsewhere' },
      { name: 'AWS_REGION', value: 'eu-central-1' },
    ];
    const { spec } = await injected({
      annotations: asksFor(role),
      spec: { containers: [{ ...container, env }] },
    });
    const taken = ['AWS_ENDPOINT_URL_S3', 'AWS_REGION'];
    expect(spec.containers[0]?.['env']).toEqual([
      ...env,
      ...webIdentity.filter(({ name }) => !taken.includes(name)),
    ]);
  });

  it.each([
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_PROFILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_ROLE_ARN',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  ])('leaves a container that sets %s as it is, and warns', async (name) => {
    const own = { name: 'own', env: [{ name, valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }] };
    const { spec, response } = await injected({
      annotations: asksFor(role),
      spec: { containers: [own, container] },
    });
    expect(spec.containers[0]).toEqual(own);
    expect(spec.containers[1]?.['env']).toEqual(webIdentity);
    expect(response.warnings).toEqual([
      `sts-sidecar: container own is left as it is, because it sets ${name}`,
    ]);
  });

  it('leaves a container that mounts something else in the place of the token as it is, and warns', async () => {
    const own = { name: 'own', volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/sts-sidecar' }] };
    const { spec, response } = await injected({
      annotations: asksFor(role),
      spec: { containers: [own, container] },
    });
    expect(spec.containers[0]).toEqual(own);
    expect(response.warnings?.[0]).toContain('mounts something else at /var/run/secrets/sts-sidecar');
  });

  it.each([
    ['a longer spelling', '/var/run/secrets/sts-sidecar/'],
    ['another spelling', '/var/run/../run/secrets//sts-sidecar'],
    ['the folder that /var/run often is', '/run/secrets/sts-sidecar'],
    ['a folder above it', '/var/run/secrets'],
    ['the root', '/'],
    ['a file in it', '/var/run/secrets/sts-sidecar/token'],
  ])('leaves a container that mounts something at %s as it is', async (_, mountPath) => {
    const own = { ...container, volumeMounts: [{ name: 'own', mountPath }] };
    const { spec, response } = await injected({ annotations: asksFor(role), spec: { containers: [own] } });
    expect(spec.containers).toEqual([own]);
    expect(response.warnings?.[0]).toContain('mounts something else');
  });

  it.each([
    '/var/run/secrets/sts-sidecar-other',
    '/var/run/secrets/kubernetes.io',
    '/runtime',
    '/var/running',
  ])('is not kept from its role by a mount at %s', async (mountPath) => {
    const own = { ...container, volumeMounts: [{ name: 'own', mountPath }] };
    const { response } = await injected({ annotations: asksFor(role), spec: { containers: [own] } });
    expect(response.patch).toBeDefined();
  });

  it('is left as it is when its volume of that name is another one, or stands somewhere else', async () => {
    const volumes = [{ name: 'sts-sidecar-token', hostPath: { path: '/' } }];
    const other = await injected({ annotations: asksFor(role), spec: { volumes } });
    expect(other.response.patch).toBeUndefined();
    expect(other.response.warnings?.[0]).toContain('is another one');
    const moved = { ...container, volumeMounts: [{ name: 'sts-sidecar-token', mountPath: '/elsewhere' }] };
    const elsewhere = await injected({
      annotations: asksFor(role),
      spec: { containers: [moved], volumes: [volume] },
    });
    expect(elsewhere.response.warnings?.[0]).toContain('somewhere else');
  });

  it('is left to the failure policy with more containers than any pod has', async () => {
    const containers = Array.from({ length: 129 }, (_, index) => ({ name: `c${index}` }));
    await expect(review({ annotations: asksFor(role), spec: { containers } })).rejects.toThrow(ReviewError);
  });

  it('gets no volume when none of its containers is changed', async () => {
    const own = { name: 'own', env: [{ name: 'AWS_PROFILE', value: 'a' }] };
    const response = await review({ annotations: asksFor(role), spec: { containers: [own] } });
    expect(response).toMatchObject({ allowed: true, warnings: [expect.stringContaining('AWS_PROFILE')] });
    expect(response.patch).toBeUndefined();
  });

  it('leaves the containers out that it names', async () => {
    const { spec } = await injected({
      annotations: { ...asksFor(role), 'sts-sidecar/skip-containers': 'sts-sidecar, proxy' },
      spec: { containers: [{ name: 'sts-sidecar' }, { name: 'proxy' }, container] },
    });
    expect(spec.containers.map((one) => one['env'] !== undefined)).toEqual([false, false, true]);
  });

  it('is not given the volume twice when it is reviewed again', async () => {
    const first = await injected({ annotations: asksFor(role) });
    const again = await injected({ annotations: asksFor(role), spec: { ...first.spec } });
    expect(again.spec.volumes).toHaveLength(1);
    expect(again.spec.containers).toEqual(first.spec.containers);
  });

  it.each([
    ['', '""'],
    ['reports', '"reports"'],
    ['arn:aws:iam::123456789012:user/reports', '"arn:aws:iam::123456789012:user/reports"'],
    ['arn:aws:iam::123456789012:role/a b', '"arn:aws:iam::123456789012:role/a b"'],
    ['arn:aws:iam::123456789012:role/a&durationSeconds=1', 'durationSeconds'],
    ['arn:aws:iam::12345:role/reports', '"arn:aws:iam::12345:role/reports"'],
  ])('is refused for %j, which is no role', async (arn, shown) => {
    const response = await review({ annotations: asksFor(arn) });
    expect(response).toMatchObject({ allowed: false, status: { code: 403 } });
    expect(response.status?.message).toContain(shown);
    expect(response.status?.message).toContain('is not the ARN of a role');
  });

  it('is refused for a role that is not configured, where the roles are known', async () => {
    const roles = ['arn:aws:iam::123456789012:role/other'];
    const response = await review({ annotations: asksFor(role), settings: { roles } });
    expect(response.status?.message).toBe(`sts-sidecar: the role "${role}" is not configured`);
    expect(await review({ annotations: asksFor(roles[0] ?? ''), settings: { roles } })).toMatchObject({
      allowed: true,
    });
  });
});

describe('a pod without a role', () => {
  it('is untouched', async () => {
    expect(await review({ account: {} })).toEqual({ uid: 'uid-1', allowed: true });
  });

  it('gets the role of its service account', async () => {
    const { spec } = await injected({ account: asksFor(role) });
    expect(spec.containers[0]?.['env']).toEqual(webIdentity);
  });

  it('has its own annotation before that of its service account', async () => {
    const { spec } = await injected({
      annotations: asksFor(role),
      account: asksFor('arn:aws:iam::1:role/x'),
    });
    expect(spec.containers[0]?.['env']).toContainEqual({ name: 'AWS_ROLE_ARN', value: role });
  });

  it.each([true, false])('counts the annotation of EKS only where that is set: %s', async (eksAnnotation) => {
    const account = { 'eks.amazonaws.com/role-arn': role };
    const response = await review({ account, settings: { eksAnnotation } });
    expect(response.patch !== undefined).toBe(eksAnnotation);
  });

  it('is left to the failure policy when its service account cannot be read', async () => {
    await expect(review({})).rejects.toThrow('asked for apps/reports');
  });
});

describe('what is kept of a pod while its service account is being read', () => {
  const long = 'x'.repeat(500_000);
  const many = Array.from({ length: 5_000 }, (_, index) => ({ name: `V${index}`, mountPath: `/m${index}` }));
  it.each<[string, Given]>([
    ['a long annotation', { annotations: { other: long, 'sts-sidecar/skip-containers': long } }],
    ['a long role', { annotations: asksFor(`${role}${long}`) }],
    ['the long name of a container', { spec: { containers: [{ name: long }] } }],
    ['many variables', { spec: { containers: [{ name: 'app', env: many }] } }],
    ['many mounts', { spec: { containers: [{ name: 'app', volumeMounts: many }] } }],
    ['many volumes', { spec: { volumes: many } }],
  ])('is small with %s', (_, given) => {
    const kept = JSON.stringify(readReview(reviewOf(given), injectorSettings));
    expect(kept.length).toBeLessThan(8_192);
  });

  it('is still a role that is too long', async () => {
    const long = `arn:${'a'.repeat(1_950)}:iam::123456789012:role/reports`;
    const tooLong = `${long}${'x'.repeat(500)}`;
    expect(await review({ annotations: asksFor(tooLong) })).toMatchObject({ allowed: false });
  });
});

describe('the namespaces of the cluster', () => {
  it.each(['kube-system', 'kube-public', 'kube-node-lease'])('%s is exempt', async (namespace) => {
    expect(await review({ namespace, annotations: asksFor(role) })).toEqual({ uid: 'uid-1', allowed: true });
  });
});

describe('a review that cannot be read', () => {
  const valid = reviewOf({ annotations: asksFor(role) });
  const request = valid['request'] as Json;
  it.each<[string, unknown]>([
    ['nothing', null],
    ['text', 'review'],
    ['another version', { ...valid, apiVersion: 'admission.k8s.io/v1beta1' }],
    ['another kind', { ...valid, kind: 'Pod' }],
    ['no request', { ...valid, request: undefined }],
    ['no uid', { ...valid, request: { ...request, uid: undefined } }],
    ['a uid with line breaks', { ...valid, request: { ...request, uid: 'a\nb' } }],
    ['an update', { ...valid, request: { ...request, operation: 'UPDATE' } }],
    ['another resource', { ...valid, request: { ...request, kind: { group: 'apps', kind: 'Deployment' } } }],
    ['no pod', { ...valid, request: { ...request, object: null } }],
    ['a namespace that is a path', { ...valid, request: { ...request, namespace: '../x' } }],
    ['a pod without spec', { ...valid, request: { ...request, object: { metadata: {} } } }],
    [
      'containers that are no list',
      { ...valid, request: { ...request, object: podOf({ spec: { containers: {} } }) } },
    ],
    [
      'a variable without a name',
      {
        ...valid,
        request: { ...request, object: podOf({ spec: { containers: [{ name: 'a', env: [{}] }] } }) },
      },
    ],
    [
      'a service account that is a path',
      { ...valid, request: { ...request, object: podOf({ spec: { serviceAccountName: '..' } }) } },
    ],
    [
      'an annotation that is no text',
      { ...valid, request: { ...request, object: podOf({ annotations: { a: 1 } }) } },
    ],
  ])('is refused: %s', async (_, source) => {
    expect(() => readReview(source, injectorSettings)).toThrow(ReviewError);
  });
});
