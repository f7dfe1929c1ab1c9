import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Rendered, render, template, type Values } from './rendered.ts';

/** A rendered document of a kind, with everything in it. */
interface Whole {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
}

function all(documents: readonly Rendered[], kind: string): readonly Whole[] {
  return documents.filter((one) => one?.kind === kind) as unknown as readonly Whole[];
}

function only(documents: readonly Rendered[], kind: string): Whole {
  const [found, ...others] = all(documents, kind);
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} or no ${kind}`);
  return found;
}

const podSpec = (documents: readonly Rendered[], kind = 'Deployment'): Readonly<Record<string, unknown>> =>
  (only(documents, kind).spec['template'] as { readonly spec: Readonly<Record<string, unknown>> }).spec;

const selector = {
  matchLabels: {
    'app.kubernetes.io/name': 'sts-sidecar',
    'app.kubernetes.io/instance': 'release',
    'app.kubernetes.io/component': 'gateway',
  },
};
const device = { serialNumber: 'arn:aws:iam::123456789012:mfa/alice', totpSecret: { env: 'ALICE_TOTP' } };
const withMfa = { directory: { users: [{ name: 'alice', mfaDevices: [device] }] } };
const autoscaling = { enabled: true };
const certificate = { enabled: true, issuerRef: { name: 'cluster' } };

describe('what is off by default', () => {
  it.each([
    ['HorizontalPodAutoscaler'],
    ['PodDisruptionBudget'],
    ['NetworkPolicy'],
    ['Ingress'],
    ['HTTPRoute'],
    ['Certificate'],
    ['PrometheusRule'],
  ])('%s is rendered only where it is switched on', async (kind) => {
    expect(all(await render('gateway'), kind)).toEqual([]);
    expect(all(await render('everything'), kind)).toHaveLength(1);
  });

  it('is no dashboard and no further object', async () => {
    expect(all(await render('gateway'), 'ConfigMap')).toHaveLength(2);
    expect(all(await render('everything'), 'ConfigMap')).toHaveLength(6);
  });
});

describe('autoscaling', () => {
  it('scales the Deployment, which has no number of replicas of its own', async () => {
    const documents = await render('gateway', { autoscaling });
    const { spec } = only(documents, 'HorizontalPodAutoscaler');
    expect(spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'release-sts-sidecar' },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
    });
    expect(only(documents, 'Deployment').spec).not.toHaveProperty('replicas');
    expect(only(await render('gateway'), 'Deployment').spec).toMatchObject({ replicas: 1 });
  });

  it('takes memory, other metrics and behavior', async () => {
    const own = {
      type: 'Pods',
      pods: { metric: { name: 'a' }, target: { type: 'AverageValue', averageValue: '1' } },
    };
    const behavior = { scaleUp: { stabilizationWindowSeconds: 5 } };
    const values = {
      targetCPUUtilizationPercentage: 0,
      targetMemoryUtilizationPercentage: 90,
      metrics: [own],
      behavior,
    };
    const { spec } = only(
      await render('gateway', { autoscaling: { ...autoscaling, ...values } }),
      'HorizontalPodAutoscaler',
    );
    const memory = { name: 'memory', target: { type: 'Utilization', averageUtilization: 90 } };
    expect(spec['metrics']).toEqual([{ type: 'Resource', resource: memory }, own]);
    expect(spec['behavior']).toEqual(behavior);
  });

  it.each<[string, Values, string]>([
    [
      'one-time codes of more than one pod',
      { ...withMfa, autoscaling: { ...autoscaling, minReplicas: 1, maxReplicas: 2 } },
      'autoscaling.maxReplicas: 2 pods need state.redis.existingSecret, because a one-time code of user alice',
    ],
    [
      'fewer pods at most than at least',
      { autoscaling: { ...autoscaling, minReplicas: 6 } },
      'autoscaling.minReplicas: 6 is more than autoscaling.maxReplicas, which is 5',
    ],
    [
      'a share of nothing',
      { autoscaling, resources: { requests: { cpu: null } } },
      'autoscaling: a utilization of cpu is a share of resources.requests.cpu, which is not given',
    ],
    [
      'nothing to scale by',
      { autoscaling: { ...autoscaling, targetCPUUtilizationPercentage: 0 } },
      'autoscaling: needs targetCPUUtilizationPercentage',
    ],
  ])('fails with a message for %s', async (_, values, message) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('takes one pod with one-time codes, and several with a Redis', async () => {
    const one = { ...autoscaling, minReplicas: 1, maxReplicas: 1 };
    await render('gateway', { ...withMfa, autoscaling: one });
    await render('gateway', { ...withMfa, autoscaling, state: { redis: { existingSecret: 'state' } } });
  });

  it('is refused in sidecar mode', async () => {
    const { code, stderr } = await template('sidecar', { autoscaling });
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });
});

describe('the disruption budget', () => {
  it.each<[string, Values, object]>([
    ['one pod by default', {}, { maxUnavailable: 1 }],
    ['a share', { maxUnavailable: '25%' }, { maxUnavailable: '25%' }],
    ['none', { maxUnavailable: 0 }, { maxUnavailable: 0 }],
    ['what stays', { minAvailable: 2 }, { minAvailable: 2 }],
    ['a share that stays', { minAvailable: '50%' }, { minAvailable: '50%' }],
  ])('has %s', async (_, values, expected) => {
    const podDisruptionBudget = { enabled: true, ...values };
    const { spec } = only(await render('gateway', { podDisruptionBudget }), 'PodDisruptionBudget');
    expect(spec).toEqual({ selector, ...expected, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });
});

describe('the network policy', () => {
  const s3 = { ports: [{ port: 9000, protocol: 'TCP' }] };

  it('lets the pods of the cluster reach S3 and STS, and nothing else', async () => {
    const { spec } = only(await render('gateway', { networkPolicy: { enabled: true } }), 'NetworkPolicy');
    expect(spec).toEqual({
      podSelector: selector,
      policyTypes: ['Ingress'],
      ingress: [{ ...s3, from: [{ namespaceSelector: {} }] }],
    });
  });

  it('lets nothing in for empty lists', async () => {
    const networkPolicy = { enabled: true, from: [] };
    const { spec } = only(await render('gateway', { networkPolicy }), 'NetworkPolicy');
    expect(spec['ingress'] ?? []).toEqual([]);
  });

  it('names the peers of each port, and what the pods may reach', async () => {
    const { spec } = only(await render('everything'), 'NetworkPolicy');
    expect(spec).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          ...s3,
          from: [
            { podSelector: { matchLabels: { role: 'application' } } },
            { ipBlock: { cidr: '10.0.0.0/8' } },
          ],
        },
        {
          ports: [{ port: 9090, protocol: 'TCP' }],
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        },
      ],
      egress: [
        {
          ports: [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
        },
        { ports: [{ port: 443, protocol: 'TCP' }] },
      ],
    });
  });

  it('never opens the ports on the loopback', async () => {
    expect(JSON.stringify(only(await render('everything'), 'NetworkPolicy'))).not.toMatch(/909[12]/);
  });
});

describe('the pod', () => {
  it('is spread over nodes, by the labels of this release', async () => {
    const [spread] = podSpec(await render('gateway'))['topologySpreadConstraints'] as readonly object[];
    const expected = {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
    };
    expect(spread).toEqual({ ...expected, labelSelector: selector });
  });

  it('takes constraints with a selector of their own, and none', async () => {
    const constraint = {
      maxSkew: 2,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { a: 'b' } },
    };
    const changed = podSpec(await render('gateway', { topologySpreadConstraints: [constraint] }));
    expect(changed['topologySpreadConstraints']).toEqual([constraint]);
    expect(podSpec(await render('gateway', { topologySpreadConstraints: [] }))).not.toHaveProperty(
      'topologySpreadConstraints',
    );
  });

  it('has the priority and the further containers of the values', async () => {
    const spec = podSpec(await render('everything'));
    expect(spec['priorityClassName']).toBe('storage');
    expect(spec['containers']).toMatchObject([{ name: 'sts-sidecar' }, { name: 'proxy' }]);
    const extraContainers = [{ name: 'proxy', image: 'proxy' }];
    const sidecar = podSpec(
      await render('sidecar', { extraContainers, priorityClassName: 'a' }),
      'StatefulSet',
    );
    expect(sidecar['containers']).toMatchObject([{ name: 'store' }, { name: 'proxy' }]);
    expect(sidecar['priorityClassName']).toBe('a');
    expect(podSpec(await render('gateway'))).not.toHaveProperty('priorityClassName');
  });

  const digest = `sha256:${'a'.repeat(64)}`;

  it.each<[string, Values, readonly string[]]>([
    ['tags', {}, ['sts-sidecar:0.1.0', 'example.com/versitygw:1.8.0']],
    [
      'a registry',
      { global: { imageRegistry: 'registry.example.com/' } },
      ['registry.example.com/sts-sidecar:0.1.0', 'registry.example.com/example.com/versitygw:1.8.0'],
    ],
    [
      'digests',
      { image: { digest }, store: { image: { digest, tag: '' } } },
      [`sts-sidecar@${digest}`, `example.com/versitygw@${digest}`],
    ],
  ])('has images with %s', async (_, values, expected) => {
    const { initContainers, containers } = podSpec(await render('sidecar', values), 'StatefulSet');
    const images = [initContainers, containers].flat() as readonly { readonly image: string }[];
    expect(images.map(({ image }) => image)).toEqual(expected);
  });

  it('has one registry for the injector and the test too', async () => {
    const values = { global: { imageRegistry: 'registry.example.com' }, injector: { enabled: true } };
    const { stdout } = await template('gateway', values);
    const images = [...stdout.matchAll(/^ *image: "?([^"\n]+)"?$/gm)].map(([, image]) => image);
    expect(images).toEqual(Array.from({ length: 3 }, () => 'registry.example.com/sts-sidecar:0.1.0'));
  });
});

describe('ways in', () => {
  it('has an Ingress with each host, to the port of S3', async () => {
    const { spec, metadata } = only(await render('everything'), 'Ingress');
    const service = { name: 's3', port: { number: 80 } };
    const http = { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] };
    const hosts = ['s3.example.com', '*.s3.example.com'];
    expect(spec).toEqual({
      ingressClassName: 'nginx',
      rules: hosts.map((host) => ({ host, http })),
      tls: [{ secretName: 's3-tls', hosts }],
    });
    expect(metadata.annotations).toEqual({ 'nginx.ingress.kubernetes.io/proxy-body-size': '0' });
  });

  it('has an HTTPRoute to the Service', async () => {
    expect(only(await render('everything'), 'HTTPRoute').spec).toEqual({
      parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
      hostnames: ['s3.example.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          timeouts: { request: '0s' },
          backendRefs: [{ name: 's3', port: 80 }],
        },
      ],
    });
  });

  it('has a Certificate with the names of the Service', async () => {
    const { spec } = only(await render('gateway', { certificate }), 'Certificate');
    const names = ['', '.default.svc', '.default.svc.cluster.local'];
    expect(spec).toMatchObject({
      secretName: 'release-sts-sidecar-tls',
      issuerRef: { name: 'cluster' },
      dnsNames: names.map((name) => `release-sts-sidecar${name}`),
    });
    expect(only(await render('everything'), 'Certificate').spec).toMatchObject({
      dnsNames: expect.arrayContaining(['s3.example.com']),
      duration: '2160h',
      renewBefore: '360h',
    });
  });
});

describe('what watches it', () => {
  it('has every alert as Prometheus reads it, with the links of the values', async () => {
    const file = await readFile('helm/sts-sidecar/files/alerts.yaml', 'utf8');
    const { spec } = only(
      await render('gateway', { metrics: { prometheusRule: { enabled: true } } }),
      'PrometheusRule',
    );
    expect(spec).toEqual(parse(file));
    const everything = only(await render('everything'), 'PrometheusRule');
    expect(everything.metadata.labels).toMatchObject({ release: 'prometheus' });
    const links = JSON.stringify(everything.spec).match(/"runbook_url":"[^"#]*/g) ?? [];
    expect(new Set(links)).toEqual(new Set(['"runbook_url":"https://wiki.example.com/runbooks']));
  });

  it('has the dashboards as they are in the files', async () => {
    const documents = await render('gateway', { metrics: { dashboards: { enabled: true } } });
    for (const name of ['access', 'operations']) {
      const found = all(documents, 'ConfigMap').find(({ metadata }) =>
        metadata.name.endsWith(`-dashboard-${name}`),
      );
      expect(found?.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
      expect(found?.metadata).not.toHaveProperty('namespace');
      const file = await readFile(`helm/sts-sidecar/files/dashboards/${name}.json`, 'utf8');
      expect(JSON.parse(found?.data?.[`sts-sidecar-${name}.json`] ?? '')).toEqual(JSON.parse(file));
    }
    const elsewhere = all(await render('everything'), 'ConfigMap').filter(
      ({ metadata }) => metadata.namespace === 'monitoring',
    );
    expect(elsewhere.map(({ metadata }) => metadata.annotations)).toEqual(
      Array.from({ length: 2 }, () => ({ grafana_folder: 'storage' })),
    );
  });
});

describe('further objects', () => {
  it('are templates, as mappings and as text', async () => {
    const names = all(await render('everything'), 'ConfigMap').map(({ metadata, data }) => [
      metadata.name,
      data,
    ]);
    expect(names).toContainEqual(['s3-extra', { release: 'release' }]);
    expect(names).toContainEqual(['as-text', undefined]);
  });
});
