/** How the sidecar reaches the API server with an identity of its own. */
export interface ApiServerSettings {
  /** Scheme, host and port. */
  readonly url: string;
  /** Absolute path of the authority's certificate, PEM; read again at each use. */
  readonly caFile: string;
  /** Absolute path of the sidecar's own service account token; read again at each use, because it rotates. */
  readonly tokenFile: string;
}

/** Service accounts of a Kubernetes cluster, as configured. */
export interface KubernetesProviderSettings {
  readonly kind: 'kubernetes';
  readonly name: string;
  /** `--service-account-issuer` of the cluster, compared with `iss` exactly. */
  readonly issuer: string;
  /** At least one, and never the API server's own. */
  readonly audiences: readonly string[];
  /** Whether the API server is asked about every token too; needs {@link apiServer}. */
  readonly tokenReview: boolean;
  /** Where keys come from; the issuer's discovery document, without credentials, when absent. */
  readonly apiServer?: ApiServerSettings;
}

/** Where a pod finds its API server and its own identity. */
export const inClusterApiServer: ApiServerSettings = {
  url: 'https://kubernetes.default.svc',
  caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
};

const apiServerAudience =
  /^(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+)*)?)?)?\/?$/i;

/**
 * Whether an audience may be the API server's own, as far as it can be told: its usual names, the issuer (the default
 * of `--api-audiences`), and the address it is reached at. Every pod's default token has that audience: accepted here,
 * each of them would be good for credentials.
 */
export function isApiServerAudience(
  audience: string,
  { issuer, apiServer }: Pick<KubernetesProviderSettings, 'issuer' | 'apiServer'>,
): boolean {
  return audience === issuer || audience === apiServer?.url || apiServerAudience.test(audience);
}
