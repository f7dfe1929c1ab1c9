import { parseArn, splitArnSegments } from '../../core/arn.ts';
import { compileGlob, type GlobToken, unlimitedSteps } from '../../core/glob.ts';
import { compileTemplate } from '../compile-template.ts';
import { checkStars } from '../limits.ts';
import { quoted, type Report } from '../problem.ts';
import { type EvaluationScope, everyTruth, someResumable, type Truth } from '../scope.ts';
import { parseTemplate, type TemplateToken } from '../variables.ts';
import type { Comparison, ComparisonOperator, OperandSource } from './operator.ts';

/**
 * ARN condition operators (IAM JSON policy elements: Condition operators, "Amazon Resource Name (ARN) condition
 * operators"): each of the six segments is matched separately, and `ArnEquals` is the same as `ArnLike`. A request value
 * that is not an ARN is unreadable: otherwise the negated operators would hold for it.
 */
export const arnOperators: readonly ComparisonOperator[] = [
  { name: 'ArnEquals', isNegated: false, compile: compileArns },
  { name: 'ArnLike', isNegated: false, compile: compileArns },
  { name: 'ArnNotEquals', isNegated: true, compile: compileArns },
  { name: 'ArnNotLike', isNegated: true, compile: compileArns },
];

/** An ARN of a request, whole and split on its first five colons. */
interface GivenArn {
  readonly text: string;
  readonly segments: readonly string[];
}

type ArnTest = (arn: GivenArn, scope: EvaluationScope) => Truth;

function compileArns({ values, hasVariables }: OperandSource, report: Report): Comparison {
  const tests = values.flatMap((value) => {
    checkStars(value, report);
    const tokens = parseTemplate(value, { hasWildcards: true, hasVariables }, report);
    if (tokens === undefined) return [];
    const test = compileArnPattern(tokens);
    if (test === undefined) report(`${quoted(value)} is not an ARN and not "*"`);
    return test === undefined ? [] : [test];
  });
  const steps = stepsToSplit + tests.length * stepsPerOperand;
  return (text, scope) => {
    scope.budget.spend(steps + text.length);
    if (parseArn(text) === undefined) return 'unreadable';
    const arn = { text, segments: splitArnSegments(text) };
    return someResumable(tests, scope, (test) => test(arn, scope));
  };
}

/** Cost of splitting an ARN, in comparisons. */
const stepsToSplit = 100;

/** Cost of comparing the segments of one pattern that differ at their start. */
const stepsPerOperand = 24;

/** `*` alone matches every ARN, a variable alone the ARN that it resolves to; anything else has six segments. */
function compileArnPattern(tokens: readonly TemplateToken[]): ArnTest | undefined {
  const [first] = tokens;
  if (tokens.length === 1 && first?.kind === 'any') return () => true;
  if (tokens.length === 1 && first?.kind === 'variable') {
    const matches = compileTemplate(tokens);
    return ({ text }, scope) => matches(text, scope);
  }
  const segments = splitTemplate(tokens);
  if (!canBeArn(segments)) return undefined;
  const tests = segments.map((segment, index): ArnTest => {
    const matches = compileTemplate(segment);
    return (arn, scope) => matches(arn.segments[index] ?? '', scope);
  });
  return (arn, scope) => everyTruth(tests, (test) => test(arn, scope));
}

const segmentCount = 6;

/** Splits on the first five colons of the policy's own text. A colon in the value of a variable is not a separator. */
function splitTemplate(tokens: readonly TemplateToken[]): TemplateToken[][] {
  let current: TemplateToken[] = [];
  const segments = [current];
  for (const token of tokens) {
    if (token.kind !== 'text') {
      current.push(token);
      continue;
    }
    for (const [index, text] of splitText(token.text, segmentCount - segments.length).entries()) {
      if (index > 0) {
        current = [];
        segments.push(current);
      }
      if (text !== '') current.push({ kind: 'text', text });
    }
  }
  return segments;
}

/** Splits on at most `maxColons` colons. */
function splitText(text: string, maxColons: number): string[] {
  const pieces = text.split(':');
  return [...pieces.slice(0, maxColons), pieces.slice(maxColons).join(':')].slice(0, pieces.length);
}

/** False for a pattern that cannot match any ARN, which is a mistake. */
function canBeArn(segments: readonly (readonly TemplateToken[])[]): boolean {
  const [scheme = [], partition = [], service = [], , , resource = []] = segments;
  const schemeTokens = scheme.filter((token): token is GlobToken => token.kind !== 'variable');
  return (
    segments.length === segmentCount &&
    schemeTokens.length === scheme.length &&
    compileGlob(schemeTokens)('arn', unlimitedSteps) &&
    partition.length > 0 &&
    service.length > 0 &&
    resource.length > 0
  );
}
