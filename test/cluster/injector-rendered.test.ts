import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadInjector } from '../../src/config/injector-file.ts';
import { type Rendered, render, template, type Values } from './rendered.ts';

const name = 'release-sts-sidecar-injector';
const enabled = { injector: { enabled: true } };

/** The documents of the injector, by kind. */
async function injectorOf(values: Values = enabled): Promise<ReadonlyMap<string, Rendered>> {
  const documents = await render('gateway', values);
  const own = documents.filter((document) => document?.metadata.name.endsWith('-injector') === true);
  return new Map(own.map((document) => [document.kind, document]));
}

const decoded = (text = ''): string => Buffer.from(text, 'base64').toString();

/** The settings that the program reads from the rendered files. */
async function settingsOf(documents: ReadonlyMap<string, Rendered>): Promise<object> {
  const folder = await mkdtemp(join(tmpdir(), 'injector-rendered-'));
  const secret = documents.get('Secret')?.data ?? {};
  const text = documents.get('ConfigMap')?.data?.['injector.yaml'] ?? '';
  for (const file of ['tls.crt', 'tls.key']) await writeFile(join(folder, file), decoded(secret[file]));
  const path = join(folder, 'injector.yaml');
  await writeFile(path, text.replaceAll('/var/run/sts-sidecar/injector/', ''));
  const loaded = loadInjector(path);
  await rm(folder, { recursive: true, force: true });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.settings;
}

interface Webhook {
  readonly failurePolicy: string;
  readonly clientConfig: { readonly caBundle: string; readonly service: object };
  readonly namespaceSelector: { readonly matchExpressions: readonly object[]; readonly matchLabels?: object };
  readonly objectSelector: object;
}
function webhookOf(documents: ReadonlyMap<string, Rendered>): Webhook {
  const { webhooks } = documents.get('MutatingWebhookConfiguration') as unknown as { webhooks: [Webhook] };
  return webhooks[0];
}

describe('the injector of the chart', () => {
  it('is not rendered unless it is enabled', async () => {
    expect((await injectorOf({})).size).toBe(0);
  });

  it('has settings that the program accepts, with the roles of the directory', async () => {
    expect(await settingsOf(await injectorOf())).toMatchObject({
      listen: { host: '0.0.0.0', port: 8443 },
      route: 'web-identity',
      endpoint: 'http://release-sts-sidecar.default.svc:9000',
      audience: 'sts-sidecar',
      roles: ['arn:aws:iam::123456789012:role/data-reader'],
    });
  });

  it.each<[string, Values]>([
    ['are in a file', { directory: null, config: { directoryFile: '/etc/directory.yaml' } }],
    [
      'are also made by a provider',
      {
        directory: {
          identityProviders: [
            {
              kind: 'oidc',
              name: 'a',
              issuer: 'https://a.example.com',
              clientIds: ['b'],
              rolePolicies: ['ReadData'],
            },
          ],
        },
      },
    ],
  ])('accepts any role where the roles %s', async (_, values) => {
    const settings = await settingsOf(await injectorOf({ ...enabled, ...values }));
    expect(settings).toHaveProperty('roles', undefined);
  });

  it('has a certificate for its Service that the webhook trusts, and no key of an authority', async () => {
    const documents = await injectorOf();
    const data = documents.get('Secret')?.data ?? {};
    expect(Object.keys(data).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
    const [certificate, authority] = ['tls.crt', 'ca.crt'].map(
      (key) => new X509Certificate(decoded(data[key])),
    );
    expect(certificate?.checkHost(`${name}.default.svc`)).toBe(`${name}.default.svc`);
    expect(authority?.ca).toBe(true);
    expect(authority !== undefined && certificate?.verify(authority.publicKey)).toBe(true);
    const { clientConfig } = webhookOf(documents);
    expect(decoded(clientConfig.caBundle)).toBe(decoded(data['ca.crt']));
    expect(clientConfig.service).toMatchObject({ name, namespace: 'default', path: '/inject' });
  });

  it('exempts the namespaces of the cluster and its own pods', async () => {
    const matchExpressions = [{ key: 'team', operator: 'Exists' }];
    const values = {
      injector: { enabled: true, failurePolicy: 'Fail', namespaceSelector: { matchExpressions } },
    };
    const webhook = webhookOf(await injectorOf(values));
    expect(webhook.failurePolicy).toBe('Fail');
    expect(webhook.namespaceSelector.matchExpressions).toEqual([
      {
        key: 'kubernetes.io/metadata.name',
        operator: 'NotIn',
        values: ['kube-system', 'kube-public', 'kube-node-lease'],
      },
      ...matchExpressions,
    ]);
    expect(webhook.objectSelector).toEqual({
      matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'NotIn', values: ['sts-sidecar'] }],
    });
  });

  it('ignores failures by default', async () => {
    expect(webhookOf(await injectorOf()).failurePolicy).toBe('Ignore');
  });

  it('may read service accounts and nothing else, and holds no Secret of the sidecar', async () => {
    const documents = await injectorOf();
    const { rules } = documents.get('ClusterRole') as unknown as { rules: unknown };
    expect(rules).toEqual([{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'] }]);
    const pod = JSON.stringify(documents.get('Deployment')?.spec?.template.spec);
    expect(pod).not.toContain('store-key');
    expect(pod).not.toContain('token-keys');
  });

  it.each<[string, Values]>([
    ['another failure policy', { injector: { failurePolicy: 'Retry' } }],
    ['a time that no webhook may have', { injector: { timeoutSeconds: 31 } }],
    ['another route', { injector: { route: 'both' } }],
    ['no replica', { injector: { replicaCount: 0 } }],
    ['an unknown value', { injector: { webhook: true } }],
  ])('refuses %s', async (_, values) => {
    const { code, stderr } = await template('gateway', values);
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });
});
