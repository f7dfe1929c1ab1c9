import type { InjectorSettings } from '../../src/injector/settings.ts';

/** Settings of an injector for the web-identity route, whose API server and certificate are the test's. */
export const injectorSettings: InjectorSettings = {
  listen: { host: '127.0.0.1', port: 0 },
  tls: { certPem: '', keyPem: '' },
  route: 'web-identity',
  endpoint: 'http://store.storage.svc:9000',
  containerEndpoint: 'http://127.0.0.1:9092',
  region: 'us-east-1',
  audience: 'sts-sidecar',
  tokenSeconds: 3600,
  eksAnnotation: false,
  roles: undefined,
  apiServer: { url: '', caFile: '', tokenFile: '' },
};
