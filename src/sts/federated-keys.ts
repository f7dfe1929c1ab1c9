import { withoutScheme } from '../core/issuer.ts';
import type { ContextEntry } from '../iam/request-context.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';

/** The claims as condition keys, under the issuer's own prefix, for example `login.example.com:sub`. */
export function claimKeys({ issuer, claims }: Pick<FederatedIdentity, 'issuer' | 'claims'>): ContextEntry[] {
  const prefix = withoutScheme(issuer);
  return [...claims].map(([name, values]) => [`${prefix}:${name}`, values]);
}
