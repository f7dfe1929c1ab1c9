import { formatArn } from '../core/arn.ts';
import { withoutScheme } from '../core/issuer.ts';

/** The account that providers belong to. */
export interface AccountName {
  readonly id: string;
  readonly partition: string;
}

/** The ARN of a provider (IAM user guide, "IAM identifiers"). */
export function providerArn(resource: string, { id, partition }: AccountName): string {
  return formatArn({ partition, service: 'iam', region: '', account: id, resource });
}

/** The ARN of the provider of an issuer, for OpenID Connect and Kubernetes alike. */
export function issuerArn(issuer: string, account: AccountName): string {
  return providerArn(`oidc-provider/${withoutScheme(issuer)}`, account);
}
