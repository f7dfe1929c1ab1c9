import { z } from 'zod';
import {
  inClusterApiServer,
  isApiServerAudience,
  type KubernetesProviderSettings,
} from '../identity/kubernetes/settings.ts';
import type { OidcProviderSettings } from '../identity/oidc/settings.ts';
import type { Path } from './path.ts';
import { kubernetes, oidc } from './provider-sections.ts';
import { readCustomTokenProvider } from './read-custom-token-provider.ts';
import { readSamlProvider } from './read-saml-provider.ts';
import type { Reading } from './reading.ts';
import type { IdentityProviderSettings } from './settings.ts';

/** The claim of MinIO's claim mode, when the configuration names another. */
const defaultClaimName = 'policy';

const anyKind = z.looseObject({ kind: z.enum(['oidc', 'kubernetes', 'saml', 'custom-token']) });

/** Reads one item of `directory.identityProviders`. */
export function readIdentityProvider(reading: Reading, path: Path): IdentityProviderSettings | undefined {
  switch (reading.valueAt([...path, 'kind'])) {
    case 'oidc':
      return readOidc(reading, path);
    case 'kubernetes':
      return readKubernetes(reading, path);
    case 'saml':
      return readSamlProvider(reading, path);
    case 'custom-token':
      return readCustomTokenProvider(reading, path);
    default:
      reading.read(path, anyKind);
      return undefined;
  }
}

function readOidc(reading: Reading, path: Path): OidcProviderSettings | undefined {
  const shape = reading.read(path, oidc);
  if (shape === undefined) return undefined;
  const { rolePolicies: policies, claimName, claimPrefix, ...settings } = shape;
  const isClaimMode = claimName !== undefined || claimPrefix !== undefined;
  if (policies === undefined) {
    if (!isClaimMode) return settings;
    return { ...settings, policyClaim: `${claimPrefix ?? ''}${claimName ?? defaultClaimName}` };
  }
  if (isClaimMode) {
    const other = claimName === undefined ? 'claimPrefix' : 'claimName';
    reading.problemAtKey([...path, other], 'cannot be combined with rolePolicies');
  }
  if (settings.clientIds.length !== 1) {
    reading.problem([...path, 'clientIds'], 'must hold one client id where there are rolePolicies');
  }
  return { ...settings, rolePolicies: policies };
}

function readKubernetes(reading: Reading, path: Path): KubernetesProviderSettings | undefined {
  const shape = reading.read(path, kubernetes);
  if (shape === undefined) return undefined;
  const { apiServer, ...others } = shape;
  // A review needs the API server; inside a pod its address is well known.
  const server = apiServer ?? (shape.tokenReview ? inClusterApiServer : undefined);
  const settings = { ...others, ...(server === undefined ? {} : { apiServer: server }) };
  for (const [index, one] of settings.audiences.entries()) {
    if (!isApiServerAudience(one, settings)) continue;
    reading.problem(
      [...path, 'audiences', index],
      "must not be the API server's own audience: every pod's default token has it",
    );
  }
  return settings;
}
