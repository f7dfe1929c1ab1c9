/** The key that a signature algorithm requires. */
export interface AlgorithmRule {
  readonly keyType: 'RSA' | 'EC' | 'OKP';
  /** The curve, for EC and OKP keys. */
  readonly curve?: string;
}

const rsa: AlgorithmRule = { keyType: 'RSA' };
const ed25519: AlgorithmRule = { keyType: 'OKP', curve: 'Ed25519' };

/**
 * The algorithms that an identity token may be signed with (RFC 7518, section 3.1; RFC 8037; RFC 9864). Only asymmetric ones:
 * an HS token could have been made by anyone who can verify it, and `none` proves nothing.
 */
const table: ReadonlyMap<string, AlgorithmRule> = new Map([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', { keyType: 'EC', curve: 'P-256' }],
  ['ES384', { keyType: 'EC', curve: 'P-384' }],
  ['ES512', { keyType: 'EC', curve: 'P-521' }],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
]);

/** The rule of an allowed algorithm, by its exact name. */
export function algorithmRule(name: unknown): AlgorithmRule | undefined {
  return typeof name === 'string' ? table.get(name) : undefined;
}

/**
 * True when a key declared for one algorithm may be used with the other: the names are equal, or they are the two names of
 * Ed25519.
 */
export function isSameAlgorithm(left: string, right: string): boolean {
  return left === right || (table.get(left) === ed25519 && table.get(right) === ed25519);
}
