import { splitArnSegments } from '../core/arn.ts';
import { compileGlob, type GlobToken, parseGlob, unlimitedSteps } from '../core/glob.ts';
import { compileTemplate } from './compile-template.ts';
import { DecisionFault } from './decision-fault.ts';
import { quoted, type Report } from './problem.ts';
import {
  type EvaluationScope,
  notTruth,
  paused,
  type Resumable,
  someResumable,
  someTruth,
  type Truth,
} from './scope.ts';
import { isUnresolvable, literalHead, parseTemplate, type TemplateToken, variableKeys } from './variables.ts';

/** A pattern of Resource or NotResource. */
export interface ResourcePattern {
  /** As the document has it. */
  readonly source: string;
  /** The first five ARN segments, each matched alone; empty for the value `*`, which matches everything. */
  readonly head: readonly (readonly GlobToken[])[];
  /** The rest of the ARN, in which `*` crosses `/` and `:`. */
  readonly tail: readonly TemplateToken[];
}

/** How a Resource value is read. */
export interface ResourceSyntax {
  /** Version 2012-10-17. */
  readonly hasVariables: boolean;
  /** Identity, session and boundary policies: missing segments are `*`; elsewhere only after a final `*`. */
  readonly isPadded: boolean;
}

/** Tests whether the Resource or NotResource element of a statement matches. */
export type ResourceTest = (scope: EvaluationScope) => Resumable<Truth>;

/** Tests whether one pattern matches. */
type PatternTest = (scope: EvaluationScope) => Truth;

const headSegments = 5;
const anything: readonly GlobToken[] = [{ kind: 'any' }];

/** Reads one Resource value (IAM JSON policy elements: Resource). Reports a malformed one and returns `undefined`. */
export function parseResourcePattern(
  text: string,
  syntax: ResourceSyntax,
  report: Report,
): ResourcePattern | undefined {
  if (text === '*') return { source: text, head: [], tail: anything };
  const segments = splitArnSegments(text);
  const headText = segments.slice(0, headSegments).join(':');
  if (syntax.hasVariables && headText.includes('${')) {
    report(`${quoted(text)} has a policy variable before the fifth colon of the ARN`);
    return undefined;
  }
  const isComplete = segments.length > headSegments;
  if (!matchesArnScheme(segments) || (!isComplete && !syntax.isPadded && !text.endsWith('*'))) {
    report(`${quoted(text)} is not an ARN and not "*"`);
    return undefined;
  }
  const head = Array.from({ length: headSegments }, (_, index) => parseGlob(segments[index] ?? '*'));
  const tail = isComplete
    ? parseTemplate(
        segments[headSegments] ?? '',
        { hasWildcards: true, hasVariables: syntax.hasVariables },
        report,
      )
    : anything;
  return tail === undefined ? undefined : { source: text, head, tail };
}

/** False for a pattern that cannot match any ARN: another scheme than `arn`, or an empty segment where ARNs have none. */
function matchesArnScheme(segments: readonly string[]): boolean {
  const [scheme = '', partition = '*', service = '*', , , tail = '*'] = segments;
  const isScheme = scheme === 'arn' || compileGlob(parseGlob(scheme))('arn', unlimitedSteps);
  return isScheme && partition !== '' && service !== '' && tail !== '';
}

/** Compiles a Resource element: it matches when one of its patterns does. */
export function compileResources(ranges: readonly ResourceRange[]): ResourceTest {
  const tests = ranges.map(({ matches }) => matches);
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  const steps = tests.length * stepsPerPattern;
  return (scope) => {
    scope.budget.spend(steps);
    return someResumable(tests, scope, (test) => test(scope));
  };
}

/** Cost of a pattern that differs at its start, in comparisons. */
const stepsPerPattern = 8;

/** The resource of an action that has none, such as `sts:GetAccessKeyInfo`; only the pattern `*` matches it. */
const noResource = '*';

/**
 * Compiles a NotResource element: it matches when none of its patterns does. Unless one does, a pattern with an unresolvable
 * variable makes an Allow not apply and a Deny apply, so that a missing tag never widens what is allowed.
 */
export function compileNotResources(
  patterns: readonly ResourcePattern[],
  ranges: readonly ResourceRange[],
  effect: 'Allow' | 'Deny',
): ResourceTest {
  const matches = compileResources(ranges);
  const whenUnresolvable = effect === 'Deny';
  // Not the patterns themselves, which take much memory.
  const withVariables = patterns.map(({ tail }) => tail).filter((tail) => variableKeys(tail).length > 0);
  return (scope) => {
    if (scope.resourceSegments.length <= headSegments && scope.query.resource !== noResource)
      throw new DecisionFault('malformed-value', 'the requested resource is not an ARN');
    const applies = notTruth(matches(scope));
    // A pattern that matches exempts the resource, whatever another pattern would be.
    if (applies === paused || applies === false) return applies;
    const unresolvable = someTruth(withVariables, (tail) => isUnresolvable(tail, scope));
    if (unresolvable === true) return whenUnresolvable;
    return unresolvable === false ? applies : 'unknown';
  };
}

function compileResourcePattern({ head, tail }: ResourcePattern): PatternTest {
  if (head.length === 0) return () => true;
  const headText = literalHeadText(head);
  if (headText !== undefined) {
    // Equal text up to the fifth colon means equal segments, so the whole ARN is matched as one string.
    const matches = compileTemplate([{ kind: 'text', text: headText }, ...tail]);
    return (scope) => matches(scope.query.resource, scope);
  }
  const headMatchers = head.map(compileGlob);
  const matchesTail = compileTemplate(tail);
  return (scope) => {
    const segments = scope.resourceSegments;
    const rest = segments[headSegments];
    if (rest === undefined) return false;
    if (!headMatchers.every((matches, index) => matches(segments[index] ?? '', scope.budget))) return false;
    return matchesTail(rest, scope);
  };
}

/** The five segments with their colons, when none of them has a wildcard. */
function literalHeadText(head: ResourcePattern['head']): string | undefined {
  let text = '';
  for (const tokens of head) {
    if (tokens.some(({ kind }) => kind !== 'text')) return undefined;
    text += `${literalHead(tokens)}:`;
  }
  return text;
}

/** The longest prefix shared by every resource that one of the patterns can match. */
export function commonPrefix(patterns: readonly ResourcePattern[]): string {
  const [first = '', ...rest] = patterns.map(literalPrefix);
  let length = first.length;
  for (const other of rest) {
    while (!other.startsWith(first.slice(0, length))) length -= 1;
  }
  return first.slice(0, length);
}

/** The literal prefix of every resource that the pattern can match; empty when a wildcard precedes the fifth colon. */
function literalPrefix({ head, tail }: ResourcePattern): string {
  const headText = head.length === 0 ? undefined : literalHeadText(head);
  return headText === undefined ? '' : headText + literalHead(tail);
}

/** A compiled pattern with what its text alone says about the resources that it can match. */
export interface ResourceRange {
  /** The pattern as the document has it, for explanations. */
  readonly source: string;
  /** The literal prefix of every resource that matches. */
  readonly text: string;
  /** What matches: only `text` itself, everything that starts with it, or part of that. */
  readonly extent: 'exact' | 'everything' | 'some';
  /** True when the pattern ends in `*`: if a resource matches, everything that starts with it matches too. */
  readonly isOpen: boolean;
  readonly matches: PatternTest;
}

/** Compiles one pattern. */
export function compileRange(pattern: ResourcePattern): ResourceRange {
  const { source, head, tail } = pattern;
  const text = literalPrefix(pattern);
  const isOpen = tail.at(-1)?.kind === 'any';
  const range = { source, text, isOpen, matches: compileResourcePattern(pattern) };
  if (head.length > 0 && literalHeadText(head) === undefined) return { ...range, extent: 'some' };
  const further = tail.findIndex(({ kind }) => kind !== 'text');
  if (further < 0) return { ...range, extent: 'exact' };
  return { ...range, extent: isOpen && further === tail.length - 1 ? 'everything' : 'some' };
}

/** False only when no resource that starts with the prefix can match. */
export function mayReach({ text, extent }: ResourceRange, prefix: string): boolean {
  return text.startsWith(prefix) || (extent !== 'exact' && prefix.startsWith(text));
}

/** False only when the resource cannot match. */
export function mayMatch({ text, extent }: ResourceRange, resource: string): boolean {
  return resource.startsWith(text) && (extent !== 'exact' || resource.length === text.length);
}

/** True only when every resource that starts with the prefix matches. */
export function covers({ text, extent }: ResourceRange, prefix: string): boolean {
  return extent === 'everything' && prefix.startsWith(text);
}

/** True only when every resource that starts with the resource of the scope matches; resolves variables. */
export function coversExtensions({ isOpen, matches }: ResourceRange, scope: EvaluationScope): boolean {
  return isOpen && matches(scope) === true;
}

/**
 * False only when no resource of the bucket can match: neither the bucket itself nor anything under `bucketArn/`.
 */
export function mayMatchBucket(pattern: ResourcePattern, bucketArn: string): boolean {
  const literal = literalPrefix(pattern);
  return bucketArn.startsWith(literal) || literal.startsWith(`${bucketArn}/`);
}

/** The start of the ARN of every bucket and object. */
export const s3ArnHead: string = 'arn:aws:s3:::';

/**
 * The names of the buckets that hold every resource which one of the patterns can match. `undefined` when a pattern does
 * not name its bucket in full.
 */
export function namedBuckets(patterns: readonly ResourcePattern[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const pattern of patterns) {
    const name = namedBucket(pattern);
    if (name === undefined) return undefined;
    names.add(name);
  }
  return names;
}

function namedBucket(pattern: ResourcePattern): string | undefined {
  const prefix = literalPrefix(pattern);
  if (!prefix.startsWith(s3ArnHead)) return undefined;
  const slash = prefix.indexOf('/', s3ArnHead.length);
  if (slash >= 0) return prefix.slice(s3ArnHead.length, slash);
  return pattern.tail.every(({ kind }) => kind === 'text') ? prefix.slice(s3ArnHead.length) : undefined;
}
