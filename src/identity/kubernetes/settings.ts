import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { storeEndpoint } from '../../schema/scalars.ts';
import type { ProviderReader } from '../kind.ts';
import { providerName, type Settings, tokenAudiences, tokenIssuer } from '../provider-forms.ts';

/** Where a pod finds its API server, its CA certificate and its own token. */
const inClusterApiServer = {
  url: 'https://kubernetes.default.svc',
  caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
};

const absolutePath = z.string().refine(isAbsolute, { error: 'must be an absolute path' });

// Both files are read again at each use: the token is rotated.
const apiServer = z.strictObject({
  url: storeEndpoint.prefault(inClusterApiServer.url).describe('Scheme, host and port.'),
  caFile: absolutePath.default(inClusterApiServer.caFile).describe("The authority's certificate, PEM."),
  tokenFile: absolutePath
    .default(inClusterApiServer.tokenFile)
    .describe("The sidecar's own service account token."),
});

/** Service accounts of a Kubernetes cluster. */
export const kubernetesSchema = z.strictObject({
  kind: z.literal('kubernetes'),
  name: providerName,
  issuer: tokenIssuer,
  audiences: tokenAudiences.describe(
    "A token is accepted when `aud` has one of them. Never the API server's own.",
  ),
  tokenReview: z.boolean().default(false).describe('Whether the API server is also asked about every token.'),
  apiServer: apiServer
    .optional()
    .describe(
      "Where keys come from: `{}` in a pod. Without it, they come from the issuer's discovery document, without credentials.",
    ),
});

/** How the sidecar reaches the API server, and the identity it uses there. */
export type ApiServerSettings = Settings<typeof apiServer>;

/** A cluster, as configured. A token review requires an API server. */
export interface KubernetesProviderSettings extends Settings<typeof kubernetesSchema> {}

/** Reads the settings of a cluster. */
export function readKubernetesSettings(reader: ProviderReader): KubernetesProviderSettings | undefined {
  const shape = reader.read(kubernetesSchema);
  if (shape === undefined) return undefined;
  // A review needs the API server; inside a pod its address is well known.
  const isReviewedInPod = shape.tokenReview && shape.apiServer === undefined;
  const settings = isReviewedInPod ? { ...shape, apiServer: inClusterApiServer } : shape;
  for (const [index, one] of settings.audiences.entries()) {
    if (!isApiServerAudience(one, settings)) continue;
    reader.problem(
      ['audiences', index],
      "must not be the API server's own audience: every pod's default token has it",
    );
  }
  return settings;
}

const apiServerAudience =
  /^(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+)*)?)?)?\/?$/i;

/**
 * True for an audience that may be the API server's own, as far as this can be known: its usual names, the issuer (the default
 * of `--api-audiences`), and its address. The default token of every pod has that audience, so accepting it would give
 * credentials to every pod.
 */
function isApiServerAudience(audience: string, settings: KubernetesProviderSettings): boolean {
  const { issuer, apiServer: server } = settings;
  return audience === issuer || audience === server?.url || apiServerAudience.test(audience);
}
