/**
 * Reads the policy names in a claim (MinIO, "OpenID Connect, claim-based policies"): a comma-separated text, or a list of
 * texts. Empty when the claim is missing or of another type.
 */
export function policyNamesIn(
  claims: ReadonlyMap<string, readonly string[]>,
  claim: string,
): readonly string[] {
  const names = (claims.get(claim) ?? []).flatMap((text) => text.split(',')).map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))];
}
