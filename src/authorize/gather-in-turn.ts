import type { Asker } from '../authenticate/caller.ts';
import type { MaybePromise } from '../core/maybe-promise.ts';
import type { PolicySets } from '../iam/combine.ts';
import { turnOwnerOf } from './asker.ts';
import type { PolicyGatherer } from './gather-policies.ts';
import type { Pace } from './pace.ts';

/**
 * Cost of compiling one character of a session policy, in comparisons. The dearest policies of 2,048 characters take 0.3 ms, of
 * which a slice holds about ten.
 */
const stepsPerCharacter = 100;

/**
 * Gathers the policies of an asker. One whose session policy must be compiled first waits until there is time for that:
 * sessions can be many, each with a policy of its own.
 */
export function gatherInTurn(policies: PolicyGatherer, asker: Asker, pace: Pace): MaybePromise<PolicySets> {
  const characters = policies.charactersToCompile(asker);
  if (characters > 0) {
    const resting = pace.rest(turnOwnerOf(asker));
    // Another request may compile it meanwhile.
    if (resting !== undefined) return resting.then(() => gatherInTurn(policies, asker, pace));
    pace.spend(characters * stepsPerCharacter);
  }
  return policies.gather(asker);
}
