import { deflateRawSync } from 'node:zlib';
import type { SessionTag } from '../tokens/session-claims.ts';

/** What is packed into a session token beside its fixed claims. */
export interface PackedContent {
  /** The inline session policy as sent. */
  readonly policy?: string | undefined;
  readonly policyArns: readonly string[];
  /** Every tag of the session, those that travelled along included. */
  readonly tags: readonly SessionTag[];
  /** Managed policies by name, where an identity provider says which its people have. */
  readonly policyNames?: readonly string[];
}

/** So much, compressed, leaves a token of every other limit within the 8 KiB of a header field. */
const allottedBytes = 4096;

/**
 * Percent of the allotted space that session policies and tags take, rounded up; over 100 is too much. AWS does not
 * publish its packing: this one is raw deflate of their JSON; whether a tag is transitive does not count. `undefined`
 * when nothing was passed.
 */
export function packedPolicySize(packed: PackedContent): number | undefined {
  const { policy, policyArns, tags, policyNames } = packed;
  const isEmpty = policy === undefined && policyArns.length === 0 && tags.length === 0;
  if (isEmpty && policyNames === undefined) return undefined;
  const content = { policy, policyArns, tags: tags.map(({ key, value }) => [key, value]), policyNames };
  return Math.ceil((deflateRawSync(JSON.stringify(content)).length / allottedBytes) * 100);
}
