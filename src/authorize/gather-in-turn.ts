import type { Caller } from '../authenticate/caller.ts';
import type { MaybePromise } from '../core/maybe-promise.ts';
import type { PolicySets } from '../iam/combine.ts';
import { type PolicyGatherer, policyPrincipal } from './gather-policies.ts';
import type { Pace } from './pace.ts';

/**
 * Cost of compiling one character of a session policy, in comparisons. The dearest policies of 2,048 characters take 0.3 ms, of
 * which a slice holds about ten.
 */
const stepsPerCharacter = 100;

/**
 * Gathers the policies of a caller. One whose session policy must be compiled first waits until there is time for that:
 * sessions can be many, each with a policy of its own.
 */
export function gatherInTurn(policies: PolicyGatherer, caller: Caller, pace: Pace): MaybePromise<PolicySets> {
  const characters = policies.charactersToCompile(caller);
  if (characters > 0) {
    const resting = pace.rest(policyPrincipal(caller));
    // Another request may compile it meanwhile.
    if (resting !== undefined) return resting.then(() => gatherInTurn(policies, caller, pace));
    pace.spend(characters * stepsPerCharacter);
  }
  return policies.gather(caller);
}
