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
  readonly by: 'identity' | 'boundary' | 'session' | 'resource';
}

const levels = ['none', 'account', 'entity', 'direct'] as const;
type Level = (typeof levels)[number];

export function referenceOutcome(sets: RawSets, request: RawRequest): ReferenceOutcome {
  const { kind } = request.principal;
  const isFederatedUser = kind === 'federated-user';
  const session = sets.session ?? (isFederatedUser ? [] : undefined);
  const applying = (policies: readonly RawPolicy[] | undefined, effect: 'Allow' | 'Deny'): RawStatement[] =>
    (policies ?? []).flatMap((policy) =>
      many(policy.Statement).filter(
        (statement) => statement.Effect === effect && statementApplies(statement, policy, request),
      ),
    );
  const denying = (
    [
      ['identity', sets.identity],
      ['boundary', sets.boundary],
      ['session', session],
      ['resource', sets.resource],
    ] as const
  ).find(([, policies]) => applying(policies, 'Deny').length > 0);
  if (denying !== undefined) return { decision: 'explicit-deny', by: denying[0] };

  const granted = applying(sets.resource, 'Allow').map((statement) => principalLevel(statement, request));
  const level = levels.findLast((candidate) => granted.includes(candidate)) ?? 'none';
  if (level === 'direct') return { decision: 'allow', by: 'resource' };
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
  return { decision: 'allow', by: level === 'entity' ? 'resource' : 'identity' };
}

function many<T>(value: OneOrMany<T> | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
}

function statementApplies(statement: RawStatement, policy: RawPolicy, request: RawRequest): boolean {
  const hasVariables = policy.Version === '2012-10-17';
  const isResourcePolicy = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
  if (isResourcePolicy && principalLevel(statement, request) === 'none') return false;
  const listsAction = many(statement.Action ?? statement.NotAction).some((pattern) =>
    slowGlob(
      pattern === '*' ? '*' : pattern === '*:*' ? '*' : pattern.toLowerCase(),
      request.action.toLowerCase(),
    ),
  );
  if (listsAction !== (statement.Action !== undefined)) return false;
  const namesResources = statement.Resource !== undefined || statement.NotResource !== undefined;
  if (namesResources && !resourceApplies(statement, hasVariables, request)) return false;
  try {
    return conditionsHold(statement, hasVariables, request);
  } catch (error) {
    // Nobody can say whether it applies: a Deny must not be lost, an Allow must not be won.
    if (error instanceof IncomparableValue) return statement.Effect === 'Deny';
    throw error;
  }
}

function conditionsHold(statement: RawStatement, hasVariables: boolean, request: RawRequest): boolean {
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      conditionHolds({ operator, key, values: many(values).map(String), hasVariables }, request),
    ),
  );
}

function principalLevel(statement: RawStatement, request: RawRequest): Level {
  const { principal } = request;
  const { kind, accountId } = principal;
  const own = [principal.arn, principal.entityArn ?? ''].filter((arn) => arn !== '');
  if (statement.NotPrincipal !== undefined) {
    const listed = statement.NotPrincipal === '*' ? [] : many(statement.NotPrincipal['AWS']);
    const exempt = own.filter((arn) => !arn.endsWith(':root')).some((arn) => listed.includes(arn));
    return exempt ? 'none' : 'direct';
  }
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
  if (outcomes.includes('unresolvable')) return statement.Effect === 'Deny';
  return !outcomes.includes(true);
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
    const values = contextValues(name.trim(), request);
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

function conditionHolds(condition: RawCondition, request: RawRequest): boolean {
  let name = condition.operator.toLowerCase();
  const forAll = name.startsWith('forallvalues:');
  const forAny = name.startsWith('foranyvalue:');
  if (forAll || forAny) name = name.slice(name.indexOf(':') + 1);
  const ifExists = name.endsWith('ifexists');
  if (ifExists) name = name.slice(0, -'ifexists'.length);
  const present = contextValues(condition.key, request);
  if (name === 'null') {
    return condition.values.some((value) => (value.toLowerCase() === 'true') === (present.length === 0));
  }
  const isNegated = name.includes('not');
  const passes = (value: string): boolean =>
    condition.values.some((operand) =>
      compare(name.replace('not', ''), operand, value, condition, request),
    ) !== isNegated;
  if (forAll) return present.every(passes);
  if (forAny) return present.some(passes);
  if (present.length === 0) return ifExists || isNegated;
  return present.length === 1 && present.every(passes);
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
