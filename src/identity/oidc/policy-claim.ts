/**
 * Names of policies in a claim (MinIO, "OpenID Connect, claim-based policies"): a text with commas between them, or a list
 * of texts. None when the claim is missing or of another kind.
 */
export function policyNamesIn(
  claims: ReadonlyMap<string, readonly string[]>,
  claim: string,
): readonly string[] {
  const names = (claims.get(claim) ?? []).flatMap((text) => text.split(',')).map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))];
}
