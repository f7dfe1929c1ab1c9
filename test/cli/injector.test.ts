import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { loadInjector } from '../../src/config/injector-file.ts';
import { execute, file, missingFile, removeFiles } from './command.ts';

afterAll(removeFiles);

const pem = (name: string): string =>
  file(name, readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8'));
const tls = `tls: { certFile: ${pem('server.pem')}, keyFile: ${pem('server-key.pem')} }`;
const configuration = (further: string, tlsLine = tls): string =>
  file('injector.yaml', `apiVersion: sts-sidecar/v1\n${tlsLine}\n${further}\n`);
const endpoint = 'endpoint: "http://store.storage.svc:9000"';

describe('the configuration of the injector', () => {
  it('has defaults for everything but the certificate and the endpoint', () => {
    const loaded = loadInjector(configuration(endpoint));
    expect(loaded).toMatchObject({
      ok: true,
      settings: {
        listen: { host: '0.0.0.0', port: 8443 },
        route: 'web-identity',
        endpoint: 'http://store.storage.svc:9000',
        containerEndpoint: 'http://127.0.0.1:9092',
        region: 'us-east-1',
        audience: 'sts-sidecar',
        tokenSeconds: 3600,
        eksAnnotation: false,
        roles: undefined,
        apiServer: {
          url: 'https://kubernetes.default.svc',
          caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
        },
      },
    });
  });

  it.each([
    ['no endpoint', '', 'endpoint: is required'],
    ['an endpoint with a path', 'endpoint: "http://store/path"', 'endpoint: must be an http or https URL'],
    ['another route', `${endpoint}\nroute: both`, 'route: '],
    ['a token that is shorter than Kubernetes makes', `${endpoint}\ntokenSeconds: 599`, 'tokenSeconds: '],
    [
      'an endpoint that SDKs refuse',
      `${endpoint}\ncontainerEndpoint: "http://10.0.0.1:9092"`,
      'containerEndpoint: must have a loopback address or 169.254.170.2',
    ],
    ['an unknown setting', `${endpoint}\nfailurePolicy: Fail`, 'failurePolicy: unknown key'],
    ['no audience', `${endpoint}\naudience: ""`, 'audience: must not be empty'],
  ])('is refused with %s', async (_, further, problem) => {
    const { code, prose } = await execute('injector', '--config', configuration(further));
    expect(code).toBe(2);
    expect(prose).toContain(problem);
  });

  it.each([
    [
      'a certificate that is none',
      `tls: { certFile: ${file('x.pem', 'x')}, keyFile: ${pem('server-key.pem')} }`,
      'tls.certFile: ',
    ],
    [
      'a key that is none',
      `tls: { certFile: ${pem('server.pem')}, keyFile: ${file('x.pem', 'x')} }`,
      'tls.keyFile: ',
    ],
    [
      'the certificate of another key',
      `tls: { certFile: ${pem('ca.pem')}, keyFile: ${pem('server-key.pem')} }`,
      'tls.keyFile: is not the key of the first certificate in certFile',
    ],
    [
      'a key that does not exist',
      `tls: { certFile: ${pem('server.pem')}, keyFile: ${missingFile} }`,
      'cannot be read',
    ],
  ])('is refused with %s', async (_, tlsLine, problem) => {
    const { code, prose } = await execute('injector', '--config', configuration(endpoint, tlsLine));
    expect([code, prose.includes(problem)], prose).toEqual([2, true]);
  });

  it('is required', async () => {
    expect((await execute('injector')).code).toBe(2);
    expect(await execute('injector', '--config', missingFile)).toMatchObject({ code: 2 });
  });
});
