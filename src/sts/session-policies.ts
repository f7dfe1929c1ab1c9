import type { Directory } from '../directory/directory.ts';
import { parseOperatorName } from '../iam/conditions/index.ts';
import { PolicyDocumentError, parsePolicyText } from '../iam/document.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import { stsError } from './errors.ts';
import { packedPolicySize } from './packed-policy-size.ts';
import { maxPolicyCharacters, whiteSpaceHint } from './policy-length.ts';

/** Session policies that passed every check. */
export interface SessionPolicies {
  /** The inline policy exactly as sent. */
  readonly policy?: string;
  /** ARNs of managed policies. They are resolved again at every request. */
  readonly policyArns: readonly string[];
}

const maxReasonCharacters = 1024;
const maxPlacesCharacters = 256;

/**
 * Checks the session policies of a request.
 * @throws ServiceError PackedPolicyTooLarge, MalformedPolicyDocument with place and reason, or ValidationError for a managed
 * policy that does not exist
 */
export function checkSessionPolicies(
  policy: string | undefined,
  policyArns: readonly string[],
  directory: Directory,
): SessionPolicies {
  requirePolicyRoom(policy, policyArns);
  if (policy !== undefined) requirePolicy(policy, 'session policy');
  for (const arn of policyArns) {
    if (directory.managedPolicy(arn) === undefined) {
      throw stsError('ValidationError', `The managed policy ${arn.slice(0, 256)} does not exist.`);
    }
  }
  return policy === undefined ? { policyArns } : { policyArns, policy };
}

/**
 * Checks the common limit of the session policies. A call that waits for an identity provider checks it before, so that it holds
 * no more than that.
 * @throws ServiceError PackedPolicyTooLarge
 */
export function requirePolicyRoom(policy: string | undefined, policyArns: readonly string[]): void {
  const inline = policy?.length ?? 0;
  const ofArns = policyArns.reduce((sum, arn) => sum + arn.length, 0);
  const characters = inline + ofArns;
  const over = characters - maxPolicyCharacters;
  if (over <= 0) return;
  const hint = whiteSpaceHint(policy ?? '', maxPolicyCharacters - ofArns);
  throw tooLarge(
    `The session policies take ${characters} characters, ${over} more than the ${maxPolicyCharacters} allowed: the inline policy ${inline}, the policy ARNs ${ofArns}.${hint === undefined ? '' : ` ${hint}`}`,
  );
}

/**
 * Percent of its allotted space that a session takes; `undefined` when nothing is passed.
 * @throws ServiceError PackedPolicyTooLarge
 */
export function checkPackedSize(
  { policy, policyArns }: SessionPolicies,
  { tags, policyNames }: Pick<SessionClaims, 'tags' | 'policyNames'>,
): number | undefined {
  const packed = { policy, policyArns, tags };
  const size = packedPolicySize(policyNames === undefined ? packed : { ...packed, policyNames });
  if (size === undefined || size <= 100) return size;
  const filling =
    tags.length > 0
      ? 'session tags'
      : policyNames === undefined
        ? 'session policies'
        : 'session policies and of the policies that the identity provider names';
  throw tooLarge(`Packed size of ${filling} consumes ${size}% of allotted space.`);
}

/**
 * Checks a scope-down policy of GetScopedCredentials, whose elements are those of a session policy.
 * @throws ServiceError MalformedPolicyDocument with place and reason
 */
export function requireScopeDownPolicy(text: string): void {
  requirePolicy(text, 'scope-down policy');
}

function requirePolicy(text: string, what: string): void {
  try {
    parsePolicyText(text, 'session');
  } catch (error) {
    if (!(error instanceof PolicyDocumentError)) throw error;
    const reason = error.message.slice(0, maxReasonCharacters);
    const message = `The ${what} is malformed: ${reason}`;
    throw stsError('MalformedPolicyDocument', message, {
      cause: error,
      detail: `${what}: ${placesOf(error)}`,
    });
  }
}

/** Where a policy is malformed, for the log: statements and elements. Never a text of the policy, which reasons quote. */
function placesOf({ problems }: PolicyDocumentError): string {
  const places = problems.map(({ path, message }) => {
    if (path === '') return /^not valid JSON(?: at position \d+)?$/.test(message) ? message : 'the document';
    const [, condition, operator = ''] = /^(.+\.Condition)\.(.*)$/s.exec(path) ?? [];
    // What stands in the place of an operator can be any text.
    return condition === undefined || isOperator(operator) ? path : condition;
  });
  return [...new Set(places)].join(', ').slice(0, maxPlacesCharacters);
}

function isOperator(name: string): boolean {
  return parseOperatorName(name, () => undefined) !== undefined;
}

function tooLarge(message: string): Error {
  return stsError('PackedPolicyTooLarge', message);
}
