/** How the sidecar reaches the API server, and the identity it uses there. */
export interface ApiServerSettings {
  /** Scheme, host and port. */
  readonly url: string;
  /** Absolute path of the CA certificate, PEM. Read again at each use. */
  readonly caFile: string;
  /** Absolute path of the sidecar's own service account token. Read again at each use, because it is rotated. */
  readonly tokenFile: string;
}

/** Service accounts of a Kubernetes cluster, as configured. */
export interface KubernetesProviderSettings {
  readonly kind: 'kubernetes';
  readonly name: string;
  /** `--service-account-issuer` of the cluster, compared with `iss` exactly. */
  readonly issuer: string;
  /** At least one. Never the API server's own audience. */
  readonly audiences: readonly string[];
  /** True when the API server reviews every token too. Requires {@link apiServer}. */
  readonly tokenReview: boolean;
  /** Where keys are fetched from. Without it, they come from the issuer's discovery document, without credentials. */
  readonly apiServer?: ApiServerSettings;
}

/** Where a pod finds its API server, its CA certificate and its own token. */
export const inClusterApiServer: ApiServerSettings = {
  url: 'https://kubernetes.default.svc',
  caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
};

const apiServerAudience =
  /^(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+)*)?)?)?\/?$/i;

/**
 * True for an audience that may be the API server's own, as far as this can be known: its usual names, the issuer (the default
 * of `--api-audiences`), and its address. The default token of every pod has that audience, so accepting it would give
 * credentials to every pod.
 */
export function isApiServerAudience(
  audience: string,
  { issuer, apiServer }: Pick<KubernetesProviderSettings, 'issuer' | 'apiServer'>,
): boolean {
  return audience === issuer || audience === apiServer?.url || apiServerAudience.test(audience);
}
