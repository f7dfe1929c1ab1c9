import { describe, expect, it } from 'vitest';
import { render, template, type Values } from './rendered.ts';

const ingress = { enabled: true, hosts: ['s3.example.com'] };
const httpRoute = { enabled: true, parentRefs: [{ name: 'public' }], hostnames: ['s3.example.com'] };
const certificate = { enabled: true, issuerRef: { name: 'cluster' } };

/** What NOTES say of values. `helm template` does not print them, so an object includes their part. */
async function notes(values: Values): Promise<string> {
  const extraObjects = [
    '{{ dict "kind" "Notes" "text" (include "sts-sidecar.unsafeOperation" .) | toYaml }}',
  ];
  const documents = await render('gateway', { extraObjects, ...values });
  return String((documents.find((one) => one?.kind === 'Notes') as { text?: unknown } | undefined)?.text);
}

describe('NOTES', () => {
  it.each<[string, Values, string]>([
    ['no network policy', {}, 'networkPolicy.enabled is false'],
    ['egress to anywhere', { networkPolicy: { enabled: true } }, 'networkPolicy.egress is empty'],
    ['an Ingress without TLS', { ingress }, 'ingress.tls is empty'],
    ['the address of an Ingress', { ingress }, 'trustedProxies is empty'],
    ['the address of a Gateway', { httpRoute }, 'trustedProxies is empty'],
    ['a single pod', {}, 'There is one pod'],
    ['no disruption budget', { replicaCount: 2 }, 'podDisruptionBudget.enabled is false'],
    [
      'a budget that no node can be drained with',
      { podDisruptionBudget: { enabled: true, minAvailable: 1 } },
      'podDisruptionBudget never lets a pod go',
    ],
    [
      'a share that rounds up to all pods',
      { replicaCount: 2, podDisruptionBudget: { enabled: true, minAvailable: '51%' } },
      'podDisruptionBudget never lets a pod go',
    ],
    [
      'a budget of nothing',
      { replicaCount: 2, podDisruptionBudget: { enabled: true, maxUnavailable: 0 } },
      'podDisruptionBudget never lets a pod go',
    ],
    ['further containers', { extraContainers: [{ name: 'a' }] }, 'The containers of extraContainers'],
  ])('warn of %s', async (_, values, message) => {
    expect(await notes(values)).toContain(message);
  });

  it('warn of none of these where there is no reason to', async () => {
    const text = await notes({
      replicaCount: 2,
      trustedProxies: ['10.0.0.0/8'],
      networkPolicy: { enabled: true, egress: [{ ports: [{ port: 443 }] }] },
      podDisruptionBudget: { enabled: true, minAvailable: '50%' },
      ingress: { ...ingress, tls: [{ secretName: 'a' }] },
    });
    expect(text).not.toMatch(
      /networkPolicy|ingress|trustedProxies|one pod|podDisruptionBudget|extraContainers/,
    );
  });
});

describe('the schema', () => {
  it.each<[string, Values]>([
    ['an unknown setting of autoscaling', { autoscaling: { min: 1 } }],
    ['no pods', { autoscaling: { minReplicas: 0 } }],
    ['a share of processors as text', { autoscaling: { targetCPUUtilizationPercentage: '80%' } }],
    ['an unknown behavior', { autoscaling: { behavior: { scaleSideways: {} } } }],
    ['an unknown setting of the budget', { podDisruptionBudget: { min: 1 } }],
    ['more than all pods', { podDisruptionBudget: { maxUnavailable: '101%' } }],
    ['fewer than no pods', { podDisruptionBudget: { minAvailable: -1 } }],
    ['an unknown direction', { networkPolicy: { ingress: [] } }],
    ['a peer as text', { networkPolicy: { from: ['10.0.0.0/8'] } }],
    [
      'an unknown way to spread',
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'No' }] },
    ],
    [
      'a spread over nothing',
      { topologySpreadConstraints: [{ maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }] },
    ],
    ['a number for a priority', { priorityClassName: 1000 }],
    ['an Ingress without a host', { ingress: { enabled: true } }],
    ['a host with a path', { ingress: { ...ingress, hosts: ['s3.example.com/path'] } }],
    ['a host with a port', { ingress: { ...ingress, hosts: ['s3.example.com:443'] } }],
    ['an unknown setting of the Ingress', { ingress: { ...ingress, path: '/' } }],
    ['a route without a Gateway', { httpRoute: { ...httpRoute, parentRefs: [] } }],
    ['a route without a host', { httpRoute: { ...httpRoute, hostnames: [] } }],
    ['a Gateway without a name', { httpRoute: { ...httpRoute, parentRefs: [{ namespace: 'a' }] } }],
    ['an unknown time limit of a route', { httpRoute: { ...httpRoute, timeouts: { idle: '1s' } } }],
    ['a certificate without an issuer', { certificate: { enabled: true } }],
    ['a duration in days', { certificate: { ...certificate, duration: '90d' } }],
    ['an unknown setting of the certificate', { certificate: { ...certificate, commonName: 'a' } }],
    ['an unknown setting of the alerts', { metrics: { prometheusRule: { rules: [] } } }],
    ['a link of another kind', { metrics: { prometheusRule: { runbookUrl: 'javascript:alert(1)' } } }],
    ['a label that is no text', { metrics: { dashboards: { labels: { grafana_dashboard: 1 } } } }],
    ['a registry as a list', { global: { imageRegistry: ['a'] } }],
    ['a registry with a digest', { global: { imageRegistry: 'a@sha256:b' } }],
    ['half a digest of the store', { store: { image: { digest: 'sha256:abc' } } }],
    ['a container without a name', { extraContainers: [{ image: 'a' }] }],
    ['an object that is a number', { extraObjects: [1] }],
  ])('refuses %s', async (_, values) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });
});
