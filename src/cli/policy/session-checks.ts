import { suggest } from '../../config/suggest.ts';
import { foldCase } from '../../core/fold-case.ts';
import { ServiceError } from '../../core/service-error.ts';
import { checkSessionPolicies, requireScopeDownPolicy } from '../../sts/session-policies.ts';
import { maxScopeDownPolicies, type SessionClaims } from '../../tokens/session-claims.ts';
import { type Asking, QuestionError } from './question.ts';
import type { World } from './world.ts';

/**
 * The checks that are made before a session is issued, with the same messages.
 * @throws QuestionError
 */
export function checkSession({ sessionPolicy, sessionPolicyArns, tags }: Asking, { directory }: World): void {
  for (const arn of sessionPolicyArns)
    tryAs('sessionPolicyArns', () => checkSessionPolicies(undefined, [arn], directory));
  tryAs('sessionPolicy', () => checkSessionPolicies(sessionPolicy, sessionPolicyArns, directory));
  const keys = tags.map(([key]) => foldCase(key));
  const repeated = tags.find(([key], index) => keys.indexOf(foldCase(key)) < index);
  if (repeated !== undefined) {
    throw new QuestionError('tags', `${JSON.stringify(repeated[0].slice(0, 128))} is given twice`);
  }
}

/**
 * The claim with the scope-down policies of a session, after the checks of GetScopedCredentials, with its messages.
 * @throws QuestionError
 */
export function scopeDownOf({ scopeDown }: Asking): Pick<SessionClaims, 'scopeDown'> {
  if (scopeDown.length > maxScopeDownPolicies) {
    throw new QuestionError('scopeDown', `a session has ${maxScopeDownPolicies} scope-down policies at most`);
  }
  for (const text of scopeDown) tryAs('scopeDown', () => requireScopeDownPolicy(text));
  return scopeDown.length === 0 ? {} : { scopeDown };
}

function tryAs(field: 'sessionPolicy' | 'sessionPolicyArns' | 'scopeDown', check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new QuestionError(
      field,
      error.message.replace(/\.$/, '').replace(/^The (?:session|scope-down) policy is malformed: /, ''),
    );
  }
}

/** The longest session of GetSessionToken. */
const maxMfaAgeSeconds = 129_600;

/** @throws QuestionError for an age that no session can have. */
export function checkMfaAge(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= maxMfaAgeSeconds) return seconds;
  throw new QuestionError('mfaAgeSeconds', `must be whole seconds, from 0 to ${maxMfaAgeSeconds}`);
}

/**
 * The policies of a claim-mode session. Unknown names, which are ignored in a live
 * token, are reported here as misspelt.
 * @throws QuestionError for none, and for names that no policy has.
 */
export function checkPolicyNames(
  names: readonly string[] | undefined,
  { directory, policyNames }: World,
): readonly string[] {
  if (names === undefined || names.length === 0) {
    throw new QuestionError(
      'policyNames',
      'is required: the token names the policies of a session of the claim-mode provider',
    );
  }
  const unknown = names.find((name) => !directory.isPolicyName(name));
  if (unknown === undefined) return names;
  const shown = JSON.stringify(unknown.slice(0, 128));
  throw new QuestionError('policyNames', `no policy is named ${shown}${suggest(unknown, policyNames)}`);
}
