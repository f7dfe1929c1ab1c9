import { isMapping, type Mapping } from '../core/mapping.ts';
import type { Condition } from './conditions/condition.ts';
import { parseConditions } from './conditions/parse-conditions.ts';
import { checkStars } from './limits.ts';
import { type ActionPattern, parseActionPattern } from './match-action.ts';
import { type PrincipalEntry, parsePrincipals } from './match-principal.ts';
import { parseResourcePattern, type ResourcePattern } from './match-resource.ts';
import { isIllFormed, type PolicyProblem, quoted, type Report, type ReporterAt } from './problem.ts';

/** The use of a policy; determines which elements it must and must not have. */
export type PolicyKind = 'identity' | 'session' | 'boundary' | 'resource' | 'trust';

/** The values of an element (`Action`) or of its negation (`NotAction`). */
export interface ElementList<T> {
  readonly isNegated: boolean;
  readonly values: readonly T[];
}

/** One statement, every value parsed. */
export interface PolicyStatement {
  /** Position in the document, from 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: ElementList<ActionPattern>;
  /** `undefined` in trust policies, which apply to their role. */
  readonly resources: ElementList<ResourcePattern> | undefined;
  /** `undefined` in identity, session and boundary policies, which apply to the caller they are attached to. */
  readonly principals: ElementList<PrincipalEntry> | undefined;
  readonly conditions: readonly Condition[];
}

/** How to read the statements of one document, and where to report their problems. */
export interface StatementReading {
  readonly kind: PolicyKind;
  /** Version 2012-10-17. */
  readonly hasVariables: boolean;
  readonly problems: PolicyProblem[];
}

const elements: ReadonlySet<string> = new Set([
  ...[
    'Sid',
    'Effect',
    'Principal',
    'NotPrincipal',
    'Action',
    'NotAction',
    'Resource',
    'NotResource',
    'Condition',
  ],
]);
const plainSid = /^[A-Za-z0-9]*$/;

/** Parses one statement. Adds its problems to the reading, and returns `undefined` if there are any. */
export function parseStatement(
  source: unknown,
  index: number,
  reading: StatementReading,
): PolicyStatement | undefined {
  const problemsBefore = reading.problems.length;
  const path = `Statement[${index}]`;
  const at = reporterAt(reading, path);
  if (!isMapping(source)) {
    at('')('must be an object');
    return undefined;
  }
  for (const name of Object.keys(source)) {
    if (!elements.has(name)) at('')(`unknown element ${quoted(name)}`);
  }
  const effect = source['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') at('Effect')('must be "Allow" or "Deny"');
  const statement = {
    index,
    sid: parseSid(source['Sid'], reading.kind, at('Sid')),
    effect: effect === 'Allow' ? ('Allow' as const) : ('Deny' as const),
    actions: parseActions(source, at),
    resources: parseResources(source, reading, at),
    principals: parseStatementPrincipals(source, reading.kind, at),
    conditions: parseConditions(source['Condition'], reading.hasVariables, at),
  };
  const { actions } = statement;
  return reading.problems.length > problemsBefore || actions === undefined
    ? undefined
    : { ...statement, actions };
}

function reporterAt({ problems }: StatementReading, statementPath: string): ReporterAt {
  return (element) => (message) => {
    problems.push({ path: element === '' ? statementPath : `${statementPath}.${element}`, message });
  };
}

function parseSid(sid: unknown, kind: PolicyKind, report: Report): string | undefined {
  if (sid === undefined || sid === '') return undefined;
  if (typeof sid !== 'string') report('must be a string');
  // Only bucket policies allow spaces and other characters.
  else if (kind !== 'resource' && !plainSid.test(sid)) report('must consist of letters and digits');
  else return sid;
  return undefined;
}

/** Picks an element or its negation. Reports when both or neither are present. */
function pickElement(
  source: Mapping,
  name: string,
  at: ReporterAt,
): { name: string; isNegated: boolean; value: unknown } | undefined {
  const negatedName = `Not${name}`;
  const isPresent = source[name] !== undefined;
  const isNegated = source[negatedName] !== undefined;
  if (isPresent === isNegated) {
    at('')(`must have exactly one of ${name} and ${negatedName}`);
    return undefined;
  }
  const chosen = isNegated ? negatedName : name;
  return { name: chosen, isNegated, value: source[chosen] };
}

function readStrings(value: unknown, report: Report): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) report('must not be an empty list');
  return list.filter((item): item is string => {
    if (typeof item !== 'string') report('must be a string or a list of strings');
    else if (isIllFormed(item)) report('holds a lone surrogate');
    else return true;
    return false;
  });
}

function parseActions(source: Mapping, at: ReporterAt): ElementList<ActionPattern> | undefined {
  const element = pickElement(source, 'Action', at);
  if (element === undefined) return undefined;
  const report = at(element.name);
  const values = readStrings(element.value, report).flatMap((text) => {
    checkStars(text, report);
    return parseActionPattern(text, report) ?? [];
  });
  return { isNegated: element.isNegated, values };
}

function parseResources(
  source: Mapping,
  { kind, hasVariables }: StatementReading,
  at: ReporterAt,
): ElementList<ResourcePattern> | undefined {
  if (kind === 'trust') {
    for (const name of ['Resource', 'NotResource']) {
      if (source[name] !== undefined) at(name)('is not allowed in a trust policy');
    }
    return undefined;
  }
  const element = pickElement(source, 'Resource', at);
  if (element === undefined) return undefined;
  const report = at(element.name);
  const values = readStrings(element.value, report).flatMap((text) => {
    checkStars(text, report);
    return parseResourcePattern(text, { hasVariables, isPadded: kind !== 'resource' }, report) ?? [];
  });
  return { isNegated: element.isNegated, values };
}

function parseStatementPrincipals(
  source: Mapping,
  kind: PolicyKind,
  at: ReporterAt,
): ElementList<PrincipalEntry> | undefined {
  if (kind === 'session') {
    requireOwnPrincipal(source, at);
    return undefined;
  }
  if (kind !== 'resource' && kind !== 'trust') {
    for (const name of ['Principal', 'NotPrincipal']) {
      if (source[name] !== undefined) at(name)('is allowed in bucket and trust policies only');
    }
    return undefined;
  }
  const element = pickElement(source, 'Principal', at);
  if (element === undefined) return undefined;
  const report = at(element.name);
  if (element.isNegated && kind === 'trust') report('is not allowed in a trust policy');
  if (element.isNegated && source['Effect'] === 'Allow') {
    report('is not allowed with Effect Allow: it would allow everyone else, anonymous callers included');
  }
  const values = parsePrincipals(element.value, kind === 'resource', report);
  if (element.isNegated && values.some(({ type }) => type === 'everyone')) {
    report('must not be "*": name the principals to exempt');
  }
  return { isNegated: element.isNegated, values };
}

/**
 * A session policy applies to its own session. `"Principal": "*"`, which some software writes, says no more than that and is not kept.
 * Any other principal would have to narrow the statement, as NotPrincipal would, and is refused.
 */
function requireOwnPrincipal(source: Mapping, at: ReporterAt): void {
  if (source['NotPrincipal'] !== undefined) at('NotPrincipal')('is allowed in bucket policies only');
  if (source['Principal'] !== undefined && !isEveryoneAlone(source['Principal'])) {
    at('Principal')('must be "*" alone, or left out: a session policy applies to its own session');
  }
}

/** Whether a Principal is one of the spellings of everyone, with nothing beside. */
function isEveryoneAlone(principal: unknown): boolean {
  if (principal === '*') return true;
  if (!isMapping(principal) || Object.keys(principal).join() !== 'AWS') return false;
  const values = principal['AWS'];
  return values === '*' || (Array.isArray(values) && values.length === 1 && values[0] === '*');
}
