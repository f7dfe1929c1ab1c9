import { deflateRawSync } from 'node:zlib';

/** What is packed into a session token beside its fixed claims. */
export interface PackedContent {
  /** The inline session policy as sent. */
  readonly policy?: string;
  readonly policyArns: readonly string[];
}

/** So much, compressed, leaves a token of every other limit within the 8 KiB of a header field. */
const allottedBytes = 4096;

/**
 * Percent of the allotted space that session policies take, rounded up; over 100 is too much. AWS does not publish
 * its packing: this one is raw deflate of their JSON. `undefined` when nothing was passed.
 */
export function packedPolicySize({ policy, policyArns }: PackedContent): number | undefined {
  if (policy === undefined && policyArns.length === 0) return undefined;
  const packed = deflateRawSync(JSON.stringify({ policy, policyArns }));
  return Math.ceil((packed.length / allottedBytes) * 100);
}
