import { deflateRawSync } from 'node:zlib';
import type { SessionTag } from '../tokens/session-claims.ts';

/** The variable content of a session token. */
export interface PackedContent {
  /** The inline session policy as sent. */
  readonly policy?: string | undefined;
  readonly policyArns: readonly string[];
  /** All tags of the session, inherited ones included. */
  readonly tags: readonly SessionTag[];
  /** Names of managed policies, when the token of an identity provider names them. */
  readonly policyNames?: readonly string[];
}

/** This much compressed content leaves a token with every other limit used within the 8 KiB of a header field. */
const allottedBytes = 4096;

/**
 * Percent of the allotted space that session policies and tags take, rounded up; more than 100 is refused. AWS does not publish
 * its packing. Here it is the raw-deflated JSON, in which transitive flags do not count. `undefined` when nothing was passed.
 */
export function packedPolicySize(packed: PackedContent): number | undefined {
  const { policy, policyArns, tags, policyNames } = packed;
  const isEmpty = policy === undefined && policyArns.length === 0 && tags.length === 0;
  if (isEmpty && policyNames === undefined) return undefined;
  const content = { policy, policyArns, tags: tags.map(({ key, value }) => [key, value]), policyNames };
  return Math.ceil((deflateRawSync(JSON.stringify(content)).length / allottedBytes) * 100);
}
