/** An issuer as ARNs and condition keys show it (IAM user guide, "Creating a role for OIDC federation"). */
export function withoutScheme(issuer: string): string {
  return issuer.replace(/^https?:\/\//, '');
}
