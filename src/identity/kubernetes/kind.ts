import { type IdentityKind, issuerFacts } from '../kind.ts';
import { KubernetesProvider } from './kubernetes-provider.ts';
import { type KubernetesProviderSettings, kubernetesSchema, readKubernetesSettings } from './settings.ts';

/** Service accounts of a Kubernetes cluster. */
export const kubernetes: IdentityKind<KubernetesProviderSettings> = {
  kind: 'kubernetes',
  schema: kubernetesSchema,
  read: readKubernetesSettings,
  describe: ({ issuer, audiences, apiServer }) => ({
    ...issuerFacts({ issuer, audiences, setting: 'audiences' }),
    urls: [
      { path: ['issuer'], url: issuer },
      ...(apiServer === undefined ? [] : [{ path: ['apiServer', 'url'], url: apiServer.url }]),
    ],
  }),
  create: (settings, tools) => new KubernetesProvider(settings, tools),
};
