import type { PolicyPrincipal } from '../../src/iam/evaluate.ts';
import {
  addressIn,
  checkAddress,
  hexOf,
  IncomparableValue,
  inOrder,
  nanoseconds,
  scaled,
} from './reference-comparisons.ts';

/**
 * A small, slow evaluator of valid policies, written from the rules and not from the engine. It works on the raw
 * JSON, indexes nothing, and is the oracle of the property tests.
 */

export type OneOrMany<T> = T | readonly T[];

export interface RawStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Principal?: RawPrincipal;
  readonly NotPrincipal?: RawPrincipal;
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, OneOrMany<string | number | boolean>>>>
  >;
}

export type RawPrincipal = '*' | Readonly<Record<string, OneOrMany<string>>>;

export interface RawPolicy {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement: OneOrMany<RawStatement>;
}

export interface RawSets {
  readonly identity: readonly RawPolicy[];
  readonly boundary?: readonly RawPolicy[];
  readonly session?: readonly RawPolicy[];
  /** Each of them has to allow. */
  readonly scopeDown?: readonly RawPolicy[];
  readonly resource?: readonly RawPolicy[];
  /** True when the resource set is a role's trust policy. */
  readonly isTrust?: boolean;
}

export interface RawRequest {
  readonly principal: PolicyPrincipal;
  readonly action: string;
  readonly resource: string;
  /** Keys of any case. */
  readonly context: Readonly<Record<string, OneOrMany<string>>>;
}

export type ReferenceDecision = 'allow' | 'implicit-deny' | 'explicit-deny';

/** The answer and the set that gave it, denied it, or should have allowed. */
export interface ReferenceOutcome {
  readonly decision: ReferenceDecision;
  readonly by: 'identity' | 'boundary' | 'session' | 'scopeDown' | 'resource';
}

const levels = ['none', 'account', 'entity', 'direct'] as const;
type Level = (typeof levels)[number];

export function referenceOutcome(sets: RawSets, request: RawRequest): ReferenceOutcome {
  const { kind } = request.principal;
  const isFederatedUser = kind === 'federated-user';
  const session = sets.session ?? (isFederatedUser ? [] : undefined);
  const isBounded = sets.boundary !== undefined;
  const applying = (policies: readonly RawPolicy[] | undefined, effect: 'Allow' | 'Deny'): RawStatement[] =>
    (policies ?? []).flatMap((policy) =>
      many(policy.Statement).filter((statement) => {
        if (statement.Effect !== effect) return false;
        const exempts = statement.NotPrincipal !== undefined && !isBounded && isExempt(statement, request);
        return !exempts && statementApplies(statement, policy, request);
      }),
    );
  const denying = (
    [
      ['identity', sets.identity],
      ['boundary', sets.boundary],
      ['session', session],
      ['scopeDown', sets.scopeDown],
      ['resource', sets.resource],
    ] as const
  ).find(([, policies]) => applying(policies, 'Deny').length > 0);
  if (denying !== undefined) return { decision: 'explicit-deny', by: denying[0] };

  const isNarrowedAway = (sets.scopeDown ?? []).some((layer) => applying([layer], 'Allow').length === 0);
  const granted = applying(sets.resource, 'Allow').map((statement) => principalLevel(statement, request));
  const level = levels.findLast((candidate) => granted.includes(candidate)) ?? 'none';
  if (level === 'direct') {
    return isNarrowedAway
      ? { decision: 'implicit-deny', by: 'scopeDown' }
      : { decision: 'allow', by: 'resource' };
  }
  const isBare = kind === 'anonymous' || kind === 'web-identity' || kind === 'saml';
  if (isBare || (sets.isTrust === true && level === 'none'))
    return { decision: 'implicit-deny', by: 'resource' };
  if (level !== 'entity' && kind !== 'root' && applying(sets.identity, 'Allow').length === 0) {
    return { decision: 'implicit-deny', by: 'identity' };
  }
  if (sets.boundary !== undefined && applying(sets.boundary, 'Allow').length === 0) {
    return { decision: 'implicit-deny', by: 'boundary' };
  }
  if (session !== undefined && applying(session, 'Allow').length === 0) {
    return { decision: 'implicit-deny', by: 'session' };
  }
  if (isNarrowedAway) return { decision: 'implicit-deny', by: 'scopeDown' };
  return { decision: 'allow', by: level === 'entity' ? 'resource' : 'identity' };
}

function many<T>(value: OneOrMany<T> | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
}

function statementApplies(statement: RawStatement, policy: RawPolicy, request: RawRequest): boolean {
  const hasVariables = policy.Version === '2012-10-17';
  if (statement.Principal !== undefined && principalLevel(statement, request) === 'none') return false;
  const listsAction = many(statement.Action ?? statement.NotAction).some((pattern) =>
    slowGlob(
      pattern === '*' ? '*' : pattern === '*:*' ? '*' : pattern.toLowerCase(),
      request.action.toLowerCase(),
    ),
  );
  if (listsAction !== (statement.Action !== undefined)) return false;
  const namesResources = statement.Resource !== undefined || statement.NotResource !== undefined;
  if (namesResources && !resourceApplies(statement, hasVariables, request)) return false;
  const readings = Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) =>
      conditionReading({ operator, key, values: many(values).map(String), hasVariables }, request),
    ),
  );
  if (readings.includes('no')) return false;
  // It is unknown whether it applies, so a Deny counts and an Allow does not.
  return !readings.includes('unreadable') || statement.Effect === 'Deny';
}

/** NotPrincipal spares the listed user, role, session or root. */
function isExempt({ NotPrincipal }: RawStatement, { principal }: RawRequest): boolean {
  const listed = NotPrincipal === undefined || NotPrincipal === '*' ? [] : many(NotPrincipal['AWS']);
  const { kind, accountId, arn, entityArn } = principal;
  const own = [arn, entityArn, ...(kind === 'root' ? [accountId] : [])].filter((name) => name !== '');
  return own.some((name) => name !== undefined && listed.includes(name));
}

function principalLevel(statement: RawStatement, request: RawRequest): Level {
  const { principal } = request;
  const { kind, accountId } = principal;
  const named = statement.Principal === '*' ? ['*'] : many(statement.Principal?.['AWS']);
  const providers = statement.Principal === '*' ? [] : many(statement.Principal?.['Federated']);
  if (kind === 'web-identity' || kind === 'saml') {
    if (providers.includes(principal.federatedProvider ?? '')) return 'direct';
    return statement.Effect === 'Deny' && named.includes('*') ? 'direct' : 'none';
  }
  if (named.includes('*')) return 'direct';
  if (kind === 'anonymous') return 'none';
  if (kind !== 'root' && named.includes(principal.arn)) return 'direct';
  if ((kind === 'role-session' || kind === 'federated-user') && named.includes(principal.entityArn ?? '-')) {
    return 'entity';
  }
  return named.some((entry) => entry === accountId || entry === `arn:aws:iam::${accountId}:root`)
    ? 'account'
    : 'none';
}

function resourceApplies(statement: RawStatement, hasVariables: boolean, request: RawRequest): boolean {
  if (statement.Resource !== undefined) {
    return many(statement.Resource).some(
      (pattern) => resourceMatches(pattern, hasVariables, request) === true,
    );
  }
  const outcomes = many(statement.NotResource).map((pattern) =>
    resourceMatches(pattern, hasVariables, request),
  );
  if (outcomes.includes(true)) return false;
  return statement.Effect === 'Deny' || !outcomes.includes('unresolvable');
}

function resourceMatches(
  pattern: string,
  hasVariables: boolean,
  request: RawRequest,
): boolean | 'unresolvable' {
  if (pattern === '*') return true;
  const wanted = sixSegments(pattern);
  while (wanted.length < 6) wanted.push('*');
  const given = sixSegments(request.resource);
  const tail = expand(wanted[5] ?? '', hasVariables, request);
  if (tail === undefined) return 'unresolvable';
  if (given.length < 6) return false;
  return (
    wanted.slice(0, 5).every((segment, index) => slowGlob(segment, given[index] ?? '')) &&
    globPieces(tail, given[5] ?? '')
  );
}

function sixSegments(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** A character of a pattern; `isLiteral` when it must not act as a wildcard. */
interface PatternCharacter {
  readonly character: string;
  readonly isLiteral: boolean;
}

function characters(text: string, isLiteral: boolean): PatternCharacter[] {
  return [...text].map((character) => ({ character, isLiteral }));
}

function expand(text: string, hasVariables: boolean, request: RawRequest): PatternCharacter[] | undefined {
  if (!hasVariables) return characters(text, false);
  const result: PatternCharacter[] = [];
  for (const piece of text.split(/(\$\{[^}]*\})/)) {
    if (!piece.startsWith('${')) {
      result.push(...characters(piece, false));
      continue;
    }
    const [, name = '', , fallback] = /^\$\{([^,]*)(,\s*'([^']*)'\s*)?\}$/.exec(piece) ?? [];
    if (name === '*' || name === '?' || name === '$') {
      result.push(...characters(name, true));
      continue;
    }
    const key = name.trim();
    const values = isList(key) || isAmbiguous(key, request) ? [] : contextValues(key, request);
    const value = values.length === 1 && values[0] !== '' ? values[0] : fallback;
    if (value === undefined) return undefined;
    result.push(...characters(value, true));
  }
  return result;
}

function contextValues(key: string, request: RawRequest): readonly string[] {
  const found = Object.entries(request.context).find(([name]) => name.toLowerCase() === key.toLowerCase());
  return found === undefined ? [] : many(found[1]);
}

/** Whether spellings of one tag have different values. */
function isAmbiguous(key: string, { context }: RawRequest): boolean {
  const spellings = Object.entries(context).filter(([name]) => name.toLowerCase() === key.toLowerCase());
  return new Set(spellings.map(([, value]) => JSON.stringify(value))).size > 1;
}

/** Lists by their type. */
function isList(key: string): boolean {
  return /^(aws:TagKeys|s3:RequestObjectTagKeys|sts:TransitiveTagKeys)$|:amr$/i.test(key);
}

/** The textbook recursive matcher with a memo, on code points. */
export function slowGlob(pattern: string, text: string): boolean {
  return globPieces(characters(pattern, false), text);
}

function globPieces(pattern: readonly PatternCharacter[], text: string): boolean {
  const points = [...text];
  const memo = new Map<string, boolean>();
  const at = (p: number, t: number): boolean => {
    const key = `${p},${t}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const piece = pattern[p];
    let result: boolean;
    if (piece === undefined) result = t === points.length;
    else if (piece.character === '*' && !piece.isLiteral) {
      result = at(p + 1, t) || (t < points.length && at(p, t + 1));
    } else {
      const isWild = piece.character === '?' && !piece.isLiteral;
      result = t < points.length && (isWild || piece.character === points[t]) && at(p + 1, t + 1);
    }
    memo.set(key, result);
    return result;
  };
  return at(0, 0);
}

interface RawCondition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
  readonly hasVariables: boolean;
}

type ConditionReading = 'yes' | 'no' | 'unreadable';

function conditionReading(condition: RawCondition, request: RawRequest): ConditionReading {
  let name = condition.operator.toLowerCase();
  const forAll = name.startsWith('forallvalues:');
  const forAny = name.startsWith('foranyvalue:');
  if (forAll || forAny) name = name.slice(name.indexOf(':') + 1);
  const ifExists = name.endsWith('ifexists');
  if (ifExists) name = name.slice(0, -'ifexists'.length);
  const present = contextValues(condition.key, request);
  const answer = (holds: boolean): ConditionReading => (holds ? 'yes' : 'no');
  if (name === 'null') {
    return answer(
      condition.values.some((value) => (value.toLowerCase() === 'true') === (present.length === 0)),
    );
  }
  if (isAmbiguous(condition.key, request)) return 'unreadable';
  const isNegated = name.includes('not');
  if (present.length === 0) return answer(forAll || (!forAny && (ifExists || isNegated)));
  if (!forAll && !forAny && present.length > 1) return 'no';
  const readings = present.map((value): ConditionReading => {
    const compared = comparedWithAll(name.replace('not', ''), value, condition, request);
    return compared === 'unreadable' ? compared : answer(compared.includes(true) !== isNegated);
  });
  const settling = answer(forAny);
  if (readings.includes(settling)) return settling;
  return readings.includes('unreadable') ? 'unreadable' : answer(!forAny);
}

function comparedWithAll(
  family: string,
  value: string,
  condition: RawCondition,
  request: RawRequest,
): readonly boolean[] | 'unreadable' {
  try {
    return condition.values.map((operand) => compare(family, operand, value, condition, request));
  } catch (error) {
    if (error instanceof IncomparableValue) return 'unreadable';
    throw error;
  }
}

function compare(
  family: string,
  operand: string,
  value: string,
  { hasVariables }: RawCondition,
  request: RawRequest,
): boolean {
  if (family === 'ipaddress') {
    checkAddress(value);
    return addressIn(operand, value);
  }
  if (family.startsWith('numeric')) return inOrder(family.slice(7), scaled(value), scaled(operand));
  if (family.startsWith('date')) return inOrder(family.slice(4), nanoseconds(value), nanoseconds(operand));
  if (family === 'binaryequals') return hexOf(value) === hexOf(operand);
  if (family.startsWith('arn')) return arnMatches(operand, value, hasVariables, request);
  if (family === 'bool' && !/^(true|false)$/i.test(value)) throw new IncomparableValue();
  const expanded = expand(operand, hasVariables, request);
  if (expanded === undefined) return false;
  if (family === 'stringlike') return globPieces(expanded, value);
  const wanted = expanded.map(({ character }) => character).join('');
  if (family === 'stringequals') return wanted === value;
  if (family === 'stringequalsignorecase') return ignoringCase(wanted) === ignoringCase(value);
  if (family === 'bool') {
    return ignoringCase(wanted) === ignoringCase(value);
  }
  throw new Error(`the reference evaluator does not know ${family}`);
}

function arnMatches(pattern: string, value: string, hasVariables: boolean, request: RawRequest): boolean {
  const given = sixSegments(value);
  const isArn =
    given.length === 6 && given[0] === 'arn' && given[1] !== '' && given[2] !== '' && given[5] !== '';
  if (!isArn) throw new IncomparableValue();
  if (pattern === '*') return true;
  if (hasVariables && /^\$\{[^}]*\}$/.test(pattern)) {
    const whole = expand(pattern, true, request);
    return whole !== undefined && whole.map(({ character }) => character).join('') === value;
  }
  // A colon inside a variable's braces separates nothing.
  const hidden = hasVariables
    ? pattern.replace(/\$\{[^}]*\}/g, (name) => name.replaceAll(':', '\0'))
    : pattern;
  return sixSegments(hidden).every((segment, index) => {
    const expanded = expand(segment.replaceAll('\0', ':'), hasVariables, request);
    return expanded !== undefined && globPieces(expanded, given[index] ?? '');
  });
}

function ignoringCase(text: string): string {
  return [...text].map((character) => character.toLowerCase().replace('\u03c2', '\u03c3')).join('');
}
