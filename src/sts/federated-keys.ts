import { formatArn } from '../core/arn.ts';
import { withoutScheme } from '../core/issuer.ts';
import type { ContextEntry } from '../iam/request-context.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';

interface AccountName {
  readonly id: string;
  readonly partition: string;
}

/** The ARN of the provider of an issuer, for OpenID Connect and Kubernetes alike (IAM user guide, "IAM identifiers"). */
export function providerArn(issuer: string, { id, partition }: AccountName): string {
  const resource = `oidc-provider/${withoutScheme(issuer)}`;
  return formatArn({ partition, service: 'iam', region: '', account: id, resource });
}

/** The claims as condition keys, under the issuer's own prefix, for example `login.example.com:sub`. */
export function claimKeys({ issuer, claims }: Pick<FederatedIdentity, 'issuer' | 'claims'>): ContextEntry[] {
  const prefix = withoutScheme(issuer);
  return [...claims].map(([name, values]) => [`${prefix}:${name}`, values]);
}
