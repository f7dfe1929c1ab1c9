/*
 * This folder answers `policy simulate` and `policy test`: what would the sidecar decide?
 * In: a checked configuration, and a question of principal, action, resource and context.
 * Out: the decision, the policies that decided it, and every statement that matches.
 * It never asks the store or an identity provider: a decision that depends on a key that was not given says so.
 * It never decides by rules of its own; it calls the engine of the running sidecar.
 */

import { foldCase } from '../../core/fold-case.ts';
import type { Decision, NeedsKeys, PolicySets } from '../../iam/combine.ts';
import { type NearMiss, nearestStatement } from '../../iam/near-miss.ts';
import { policyTypes } from '../../iam/policy-sets.ts';
import { matchingStatements, type StatementMatch } from '../../iam/trace.ts';
import type { Simulated } from './circumstances.ts';
import { decideQuestion, isOnlyRecorded } from './decide-question.ts';
import { findAction } from './known-actions.ts';

/** The answer to one (action, resource) pair. */
export interface Simulation {
  readonly principal: string;
  /** In AWS's spelling. */
  readonly action: string;
  readonly resource: string;
  readonly decision: Decision | NeedsKeys;
  /** Every statement of every set that applies. */
  readonly matches: readonly StatementMatch[];
  /** Of an implicit deny: the Allow that came closest. */
  readonly nearMiss: NearMiss | undefined;
  /**
   * The name that the decision is about when it differs: of a key, where a store treats keys as paths, or of a session that scopes
   * itself down. Else `undefined`.
   */
  readonly decidedResource: string | undefined;
  /** True for a refusal that `enforcement: audit` only records. */
  readonly isOnlyRecorded: boolean;
  /** Context keys that were given although no policy involved refers to them, in lower case. */
  readonly unusedContext: readonly string[];
}

/**
 * Decides one action on one resource with the engine, the policies and the context that the sidecar decides with, and explains it.
 * @throws QuestionError when the sidecar does not decide such an action or resource.
 */
export function simulate(actionText: string, resource: string, simulated: Simulated): Simulation {
  const known = findAction(actionText);
  const { sets, query, told, decision, asked } = decideQuestion(known, resource, simulated);
  const toldQuery = { ...query, context: told };
  return {
    principal: simulated.asker.arn,
    action: known.action,
    resource: asked,
    decision,
    matches: matchingStatements(sets, query),
    nearMiss: decision.effect === 'deny' ? nearestStatement(sets, toldQuery, decision) : undefined,
    decidedResource: query.resource === asked ? undefined : query.resource,
    isOnlyRecorded: known.service === 's3' && isOnlyRecorded(decision, simulated),
    unusedContext: unusedKeys(sets, simulated),
  };
}

function unusedKeys(sets: PolicySets, { circumstances }: Simulated): string[] {
  const policies = policyTypes.flatMap((policyType) => sets[policyType] ?? []);
  const given = circumstances.context.map(([key]) => foldCase(key));
  return given.filter((key) => !policies.some(({ contextKeys }) => contextKeys.has(key)));
}
