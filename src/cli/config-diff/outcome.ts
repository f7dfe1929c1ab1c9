import { isOfStore } from '../../authorize/store-keys.ts';
import { foldCase } from '../../core/fold-case.ts';
import type { PolicySets, PolicyType } from '../../iam/combine.ts';
import type { Condition } from '../../iam/conditions/condition.ts';
import { policiesOf } from '../../iam/policy-sets.ts';
import type { AuthorizationQuery } from '../../iam/query.ts';
import { missingAllow, type SetEffect, type SetEffects } from '../../iam/set-effects.ts';
import { type PossibleMatch, possibleStatements } from '../../iam/trace.ts';
import { getScopedCredentials, scopeResources } from '../../sts/grants/scope-grant.ts';
import { requireOwnConsent, type TrustCase } from '../../sts/grants/trust-question.ts';
import type { Asker } from '../policy/asker.ts';
import { simulatedRequest } from '../policy/circumstances.ts';
import { decideQuestion } from '../policy/decide-question.ts';
import type { KnownAction } from '../policy/known-actions.ts';
import { QuestionError } from '../policy/question.ts';
import type { World } from '../policy/world.ts';

/** What a caller may do, in every context: `depends` when only the request tells. */
export type Outcome =
  | { readonly effect: 'allow' | 'deny' }
  | {
      readonly effect: 'depends';
      /** Two outcomes with the same signature allow the same in every context. */
      readonly signature: string;
      /** The conditions, for people. */
      readonly when: string;
    };

const deny: Outcome = { effect: 'deny' };
const circumstances = { context: [], absent: [] };

/** A question to one of the configurations. */
export interface Question {
  readonly known: KnownAction;
  /** An ARN. */
  readonly resource: string;
  readonly asker: Asker;
  /** Every context key, in lower case, that a policy involved refers to. */
  readonly contextKeys: Iterable<string>;
  readonly nowMs: number;
}

/**
 * Decides with the engine of the running sidecar, and with a context that tells nothing but what follows from the caller. What the
 * sidecar would refuse before it decides is a deny.
 */
export function outcomeOf({ known, resource, asker, contextKeys, nowMs }: Question, world: World): Outcome {
  const untold = [...contextKeys].filter((key) => !isCertain(key, asker, known.service));
  const simulated = {
    asker: { ...asker, untold },
    circumstances,
    world,
    raw: simulatedRequest(circumstances, nowMs),
  };
  try {
    const { decision, sets, query } = decideQuestion(known, resource, simulated);
    if (decision.effect !== 'needs') return { effect: decision.effect };
    if (known.action === getScopedCredentials) return dependence(deniesOfScope(sets, query), asker);
    const matches = possibleStatements(sets, query);
    if (known.service === 'sts' && !mayBeAllowed(matches, { sets, query })) return deny;
    return dependence(matches, asker, sets.boundary);
  } catch (error) {
    if (error instanceof QuestionError) return deny;
    throw error;
  }
}

const ofEveryCaller: ReadonlySet<string> = new Set([
  ...['aws:principalarn', 'aws:principaltype', 'aws:principalaccount', 'aws:username'],
  ...['aws:principalisawsservice', 'aws:viaawsservice', 'aws:resourceaccount', 's3:resourceaccount'],
  'aws:federatedprovider',
]);

/** True for a key whose value, or absence, follows from the caller. Tags and ids of sessions do not. */
function isCertain(key: string, asker: Asker, service: KnownAction['service']): boolean {
  if (ofEveryCaller.has(key)) return asker.kind !== 'caller' || !isOfToken(key, asker.caller.kind);
  // The store is asked for these where an action has them, and the tags of a role are in the directory.
  if (isOfStore(key)) return service === 's3' || !key.startsWith('s3:');
  if (key.startsWith('iam:resourcetag/')) return service === 'sts';
  if (replaceableTags(asker) !== undefined) return false;
  return key === 'aws:userid' || key.startsWith('aws:principaltag/');
}

/** The tags of a role or user whose sessions may bring others. */
function replaceableTags(asker: Asker): ReadonlyMap<string, string> | undefined {
  if (asker.kind !== 'caller' || !['role-session', 'federated-user'].includes(asker.caller.kind))
    return undefined;
  return asker.caller.entity.tags;
}

function isOfToken(key: string, kind: string): boolean {
  return key === 'aws:federatedprovider' && kind === 'role-session';
}

/** What an action without an Allow depends on, for either of the resources that the sidecar asks about. */
function deniesOfScope(sets: PolicySets, query: AuthorizationQuery): readonly PossibleMatch[] {
  return scopeResources(query.principal.arn)
    .flatMap((resource) => possibleStatements(sets, { ...query, resource }))
    .filter(({ statement }) => statement.effect === 'Deny');
}

function isAllowOf(type: PolicyType): (match: PossibleMatch) => boolean {
  return ({ policyType, statement }) => policyType === type && statement.effect === 'Allow';
}

/** Of S3 the engine says so itself. For STS it goes on, to tell refusals apart. */
function mayBeAllowed(matches: readonly PossibleMatch[], { sets, query }: TrustCase): boolean {
  const counted = policiesOf(sets, query);
  const atBest = (type: PolicyType): SetEffect | undefined => {
    if (counted[type] === undefined) return undefined;
    return matches.some(isAllowOf(type)) ? 'allow' : 'none';
  };
  const granting = new Set(matches.filter(isAllowOf('resource')).map(({ level }) => level));
  const levels = ['direct', 'entity', 'account'] as const;
  const effects: SetEffects = {
    identity: atBest('identity') ?? 'none',
    boundary: atBest('boundary'),
    session: atBest('session'),
    scopeDown: atBest('scopeDown'),
    resource: atBest('resource'),
    resourceLevel: levels.find((level) => granting.has(level)) ?? 'none',
  };
  if (missingAllow(effects, sets, query) !== undefined) return false;
  const allowed = { effect: 'allow', isExplicitDeny: false, policyType: 'none', sets: effects } as const;
  return requireOwnConsent(allowed, query).effect === 'allow';
}

function dependence(
  matches: readonly PossibleMatch[],
  asker: Asker,
  boundary?: PolicySets['boundary'],
): Outcome {
  const statements = [...new Set(matches.map(signatureOf))].sort().join('\n');
  const told = foldCase(statements);
  const named = [...(replaceableTags(asker) ?? [])].filter(([key]) =>
    told.includes(`aws:principaltag/${foldCase(key)}`),
  );
  const isShut = boundary !== undefined && !matches.some(isAllowOf('boundary'));
  const notes = named.map(([key, value]) => `its tag ${key} is ${value} unless a session brings another`);
  const id = roleIdOf(asker);
  if (id !== undefined && told.includes('aws:userid')) notes.push(`its aws:userid begins with ${id}:`);
  if (isShut) notes.push('the boundary never allows it');
  const signature = [statements, ...notes].join('\n');
  return { effect: 'depends', signature, when: [...conditionTexts(matches), ...notes].join('; ') };
}

/** The part of `aws:userid` that all sessions of a role have. */
function roleIdOf(asker: Asker): string | undefined {
  const isOfRole = asker.kind === 'caller' && asker.caller.kind === 'role-session';
  return isOfRole ? asker.caller.userId.split(':', 1)[0] : undefined;
}

function signatureOf({ policyType, statement, level, read, ...match }: PossibleMatch): string {
  const { effect, conditions, ranges, excludesResources } = statement;
  if (match.isCertain) return JSON.stringify([policyType, effect, level]);
  const texts = conditions.map(({ operator, key, values }) =>
    JSON.stringify([operator, key, values.map(read).sort()]),
  );
  const sources = match.isResourceCertain ? [] : ranges.map(({ source }) => source);
  const patterns = sources.filter((source) => source.includes('${')).map(read);
  return JSON.stringify([policyType, effect, level, texts.sort(), excludesResources, patterns.sort()]);
}

const titles: Readonly<Record<PolicyType, string>> = {
  identity: '',
  resource: '',
  boundary: 'in the boundary, ',
  session: 'in the session policy, ',
  scopeDown: 'in the scope-down policy, ',
};

/** `when StringEquals s3:prefix a or …, unless Bool aws:SecureTransport false`. */
function conditionTexts(matches: readonly PossibleMatch[]): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const { policyType, statement, isCertain: certain, isResourceCertain, read } of matches) {
    if (certain) continue;
    const word = statement.effect === 'Allow' ? 'when' : 'unless';
    const conditions = statement.conditions.map((one) => conditionText(one, read));
    const all = isResourceCertain ? conditions : [...conditions, 'its variables are those of the caller'];
    texts.add(`${titles[policyType]}${word} ${all.join(' and ')}`);
  }
  return texts;
}

const shownValues = 5;

function conditionText({ operator, name, values }: Condition, read: PossibleMatch['read']): string {
  const shown = values.slice(0, shownValues).map((value) => read(value).slice(0, 256));
  const more = values.length > shownValues ? ` and ${values.length - shownValues} more values` : '';
  return `${operator} ${name} ${shown.join(', ')}${more}`;
}
