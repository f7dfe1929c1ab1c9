import { describe, expect, it } from 'vitest';
import { podOf, type Rendered, render, settingsOf, template, type Values } from './rendered.ts';

const tls: Values = { tls: { existingSecret: 'certificate' } };

interface Pod {
  readonly containers: readonly {
    readonly volumeMounts: readonly object[];
    readonly env: readonly object[];
    readonly livenessProbe: { readonly httpGet: object };
    readonly readinessProbe: { readonly httpGet: object };
  }[];
}

function containerOf(documents: readonly Rendered[]): Pod['containers'][0] {
  const [container] = (podOf(documents).spec as unknown as Pod).containers;
  if (container === undefined) throw new Error('no container is rendered');
  return container;
}

function portsOf(documents: readonly Rendered[], name: string): readonly object[] {
  return (
    documents.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name)?.spec?.ports ?? []
  );
}

describe('the value tls', () => {
  it('mounts the keys of the Secret, and the program accepts them', async () => {
    const documents = await render('everything', tls);
    const { server } = settingsOf(documents);
    expect(server.tls?.certPem).toContain('BEGIN CERTIFICATE');
    expect(server.tls?.clientCaPem).toBeUndefined();
    expect(podOf(documents).spec.volumes).toContainEqual({
      name: 'tls',
      secret: {
        secretName: 'certificate',
        items: [
          { key: 'tls.crt', path: 'tls.crt' },
          { key: 'tls.key', path: 'tls.key' },
        ],
        defaultMode: 0o440,
      },
    });
    expect(containerOf(documents).volumeMounts).toContainEqual({
      name: 'tls',
      mountPath: '/var/run/sts-sidecar/tls',
      readOnly: true,
    });
  });

  it('asks clients for certificates of an authority in the Secret', async () => {
    const values = { tls: { existingSecret: 'certificate', clientCaKey: 'ca.crt' } };
    const documents = await render('gateway', values);
    expect(settingsOf(documents).server.tls?.clientCaPem).toContain('BEGIN CERTIFICATE');
    expect(JSON.stringify(podOf(documents).spec.volumes)).toContain(
      '{"key":"ca.crt","path":"client-ca.crt"}',
    );
  });

  it('names the port of the Service https, and points the test and the injector there', async () => {
    const documents = await render('everything', {
      ...tls,
      injector: { enabled: true },
      tests: { caKey: 'ca.crt' },
    });
    expect(portsOf(documents, 's3')).toEqual([
      { name: 'https-s3', appProtocol: 'https', port: 80, targetPort: 9000 },
    ]);
    const text = JSON.stringify(documents);
    expect(text).toContain('"https://s3.default.svc:80"');
    expect(text).not.toContain('http://s3.default.svc');
    expect(text).toContain('{"name":"NODE_EXTRA_CA_CERTS","value":"/tls/ca.crt"}');
  });

  it('leaves the admin listener and its probes as they are', async () => {
    const { livenessProbe, readinessProbe } = containerOf(await render('everything', tls));
    expect(livenessProbe.httpGet).toEqual({ path: '/livez', port: 9090, scheme: 'HTTP' });
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 9090, scheme: 'HTTP' });
  });

  it('needs a Secret for what it takes from it', async () => {
    for (const values of [
      { tls: { clientCaKey: 'ca.crt' } },
      { tests: { caKey: 'ca.crt' } },
      { tls: { secret: 'x' } },
    ])
      expect((await template('gateway', values)).code).not.toBe(0);
  });
});

it('without tls nothing says https', async () => {
  const documents = await render('gateway');
  expect(settingsOf(documents).server.tls).toBeUndefined();
  expect(JSON.stringify(documents)).not.toContain('https-s3');
});

it('admin.tls of the configuration makes probes and scrapes use https', async () => {
  const admin = {
    tls: { certFile: '/var/run/sts-sidecar/tls/tls.crt', keyFile: '/var/run/sts-sidecar/tls/tls.key' },
  };
  const monitor = { tlsConfig: { serverName: 's3.default.svc' } };
  const metrics = { serviceMonitor: monitor, podMonitor: monitor };
  const documents = await render('everything', { ...tls, config: { admin }, metrics });
  expect(settingsOf(documents).admin.tls).toBeDefined();
  expect(containerOf(documents).livenessProbe.httpGet).toMatchObject({ scheme: 'HTTPS' });
  const text = JSON.stringify(documents);
  expect(text.match(/"scheme":"https","tlsConfig":\{"serverName":"s3.default.svc"\}/g)).toHaveLength(2);
});
