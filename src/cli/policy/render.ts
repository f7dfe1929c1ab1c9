import type { PolicyType } from '../../iam/combine.ts';
import { nearMissText } from '../../iam/describe-near-miss.ts';
import type { StatementReference } from '../../iam/evaluate.ts';
import { explainDenial } from '../../iam/explain.ts';
import type { NearMiss } from '../../iam/near-miss.ts';
import type { StatementMatch } from '../../iam/trace.ts';
import type { Simulation } from './simulate.ts';

/** The result of a simulation in the words of AWS's policy simulator; `needs` when context keys are missing. */
export type Outcome = 'allowed' | 'implicitDeny' | 'explicitDeny' | 'needs';

/** How a simulation ended. */
export function outcomeOf({ decision }: Simulation): Outcome {
  if (decision.effect === 'needs') return 'needs';
  if (decision.effect === 'allow') return 'allowed';
  return decision.isExplicitDeny ? 'explicitDeny' : 'implicitDeny';
}

/** Why, in one line; empty when access is allowed. */
export function reasonOf({ decision, action }: Simulation): string {
  if (decision.effect === 'allow') return '';
  if (decision.effect === 'needs')
    return `because it depends on ${decision.keys.join(', ')}, which the context does not give`;
  const reason = explainDenial(decision, action);
  return decision.fault === undefined ? reason : `${reason}: ${String(decision.fault)}`;
}

/** The form of `--json`, see docs/policy-simulate.md: fields are added, never renamed. */
export function simulationJson(simulation: Simulation): object {
  const { decision, principal, action, resource, matches, nearMiss } = simulation;
  const isDecided = decision.effect !== 'needs';
  return {
    principal,
    action,
    resource,
    decidedResource: simulation.decidedResource ?? null,
    decision: outcomeOf(simulation),
    reason: reasonOf(simulation),
    policyType: isDecided ? decision.policyType : null,
    statement: isDecided && decision.statement !== undefined ? statementJson(decision.statement) : null,
    policySets: isDecided ? setsJson(decision.sets) : null,
    nearMiss: nearMiss === undefined ? null : nearMissJson(nearMiss),
    matchedStatements: matches.map(({ policyType, effect, statement, level }) => ({
      policyType,
      effect,
      ...statementJson(statement),
      principalLevel: level ?? null,
    })),
    neededKeys: isDecided ? [] : decision.keys,
    unusedContextKeys: simulation.unusedContext,
    onlyRecorded: simulation.isOnlyRecorded,
  };
}

function statementJson({ policy, sid, index }: StatementReference): object {
  return { policy, sid: sid ?? null, index };
}

function nearMissJson(miss: NearMiss): object {
  const { policyType, statement, failed, otherFailures } = miss;
  const isCondition = failed.element === 'Condition';
  return {
    policyType,
    ...statementJson(statement),
    element: failed.element,
    operator: isCondition ? failed.operator : null,
    key: isCondition ? failed.key : null,
    requested: failed.requested.values,
    wanted: failed.wanted.values,
    otherFailures,
    text: nearMissText(miss),
  };
}

type Decided = Exclude<Simulation['decision'], { readonly effect: 'needs' }>;

function setsJson(sets: Decided['sets']): object {
  return {
    identity: sets.identity,
    boundary: sets.boundary ?? null,
    session: sets.session ?? null,
    scopeDown: sets.scopeDown ?? null,
    scopeDownLayer: sets.scopeDownLayer ?? null,
    resource: sets.resource ?? null,
    resourceLevel: sets.resourceLevel,
  };
}

const titles: Readonly<Record<Outcome, string>> = {
  allowed: 'allowed',
  implicitDeny: 'denied',
  explicitDeny: 'denied',
  needs: 'undecided',
};

/** One simulation for people, several lines. */
export function renderSimulation(simulation: Simulation): string {
  const { principal, action, resource, decision, matches } = simulation;
  const lines = [`${titles[outcomeOf(simulation)]}: ${action} on ${resource}`, `  principal  ${principal}`];
  const { decidedResource, nearMiss } = simulation;
  const isOfStore = action.startsWith('s3:');
  if (decidedResource !== undefined)
    lines.push(`  ${isOfStore ? 'as a path' : 'asked of '}  ${decidedResource}`);
  const reason = reasonOf(simulation);
  if (reason !== '') lines.push(`  reason     ${reason}`);
  if (nearMiss !== undefined) lines.push(`  near miss  ${nearMissText(nearMiss)}`);
  if (decision.effect !== 'needs') {
    const { policyType, statement, sets } = decision;
    const at = statement === undefined ? '' : `: ${renderStatement(statement)}`;
    if (policyType !== 'none') lines.push(`  decided by the ${nameOf(policyType)} policies${at}`);
    lines.push(`  sets       ${renderSets(sets)}`);
  }
  if (simulation.isOnlyRecorded)
    lines.push('  enforcement is audit: the request is allowed, and the refusal is only recorded');
  lines.push(matches.length === 0 ? '  no statement matches' : '  matching statements:');
  lines.push(...matches.map(renderMatch));
  return lines.join('\n');
}

function renderSets(sets: Decided['sets']): string {
  const { identity, boundary = '-', session = '-', scopeDown, scopeDownLayer, resource = '-' } = sets;
  const level = resource === 'allow' ? ` (${sets.resourceLevel})` : '';
  const layer = scopeDownLayer === undefined ? '' : ` (layer ${scopeDownLayer})`;
  const narrowed = scopeDown === undefined ? '' : `, scope-down ${scopeDown}${layer}`;
  return `identity ${identity}, boundary ${boundary}, session ${session}${narrowed}, resource ${resource}${level}`;
}

function nameOf(policyType: PolicyType): string {
  return policyType === 'scopeDown' ? 'scope-down' : policyType;
}

function renderMatch({ policyType, effect, statement, level }: StatementMatch): string {
  const principal = level === undefined ? '' : ` (principal: ${level})`;
  return `    ${effect.padEnd(5)} ${nameOf(policyType).padEnd(8)} ${renderStatement(statement)}${principal}`;
}

/** `ReadData Statement[0] (Sid "Read")` */
function renderStatement({ policy, sid, index }: StatementReference): string {
  return `${policy} Statement[${index}]${sid === undefined ? '' : ` (Sid ${JSON.stringify(sid)})`}`;
}
