import type { Directory } from '../directory/directory.ts';
import { PolicyDocumentError, parsePolicyText } from '../iam/document.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import { stsError } from './errors.ts';
import { packedPolicySize } from './packed-policy-size.ts';

/** Session policies that passed every check. */
export interface SessionPolicies {
  /** The inline policy exactly as sent. */
  readonly policy?: string;
  /** ARNs of managed policies; they are looked up again at every request. */
  readonly policyArns: readonly string[];
}

/** Inline policy and policy ARNs together, in characters (AWS STS API Reference, AssumeRole). */
const maxCharacters = 2048;
const maxReasonCharacters = 1024;

/**
 * Checks the session policies of a request. Throws PackedPolicyTooLarge, MalformedPolicyDocument with where and why,
 * and ValidationError for a managed policy that does not exist.
 */
export function checkSessionPolicies(
  policy: string | undefined,
  policyArns: readonly string[],
  directory: Directory,
): SessionPolicies {
  const characters = policyArns.reduce((sum, arn) => sum + arn.length, policy?.length ?? 0);
  if (characters > maxCharacters) throw tooLarge(Math.ceil((characters / maxCharacters) * 100));
  if (policy !== undefined) requireSessionPolicy(policy);
  for (const arn of policyArns) {
    if (directory.managedPolicy(arn) === undefined) {
      throw stsError('ValidationError', `The managed policy ${arn.slice(0, 256)} does not exist.`);
    }
  }
  return policy === undefined ? { policyArns } : { policyArns, policy };
}

/**
 * Percent of its allotted space that a session fills; `undefined` when it carries nothing. Throws PackedPolicyTooLarge.
 */
export function checkPackedSize(
  { policy, policyArns }: SessionPolicies,
  { tags, policyNames }: Pick<SessionClaims, 'tags' | 'policyNames'>,
): number | undefined {
  const packed = { policy, policyArns, tags };
  const size = packedPolicySize(policyNames === undefined ? packed : { ...packed, policyNames });
  if (size !== undefined && size > 100) throw tooLarge(size);
  return size;
}

function requireSessionPolicy(text: string): void {
  try {
    parsePolicyText(text, 'session');
  } catch (error) {
    if (!(error instanceof PolicyDocumentError)) throw error;
    const reason = error.message.slice(0, maxReasonCharacters);
    throw stsError('MalformedPolicyDocument', `The session policy is malformed: ${reason}`, { cause: error });
  }
}

function tooLarge(percent: number): Error {
  return stsError(
    'PackedPolicyTooLarge',
    `Packed size of session tags consumes ${percent}% of allotted space.`,
  );
}
