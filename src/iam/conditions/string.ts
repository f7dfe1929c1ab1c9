import { foldCase } from '../../core/fold-case.ts';
import { checkStars } from '../limits.ts';
import type { Report } from '../problem.ts';
import { someTruth } from '../scope.ts';
import { compileTemplate, parseTemplate, type ValueTest } from '../variables.ts';
import type { ComparisonOperator, OperandSource } from './operator.ts';

interface Comparison {
  readonly hasWildcards: boolean;
  readonly ignoresCase: boolean;
}

const exact: Comparison = { hasWildcards: false, ignoresCase: false };
const anyCase: Comparison = { hasWildcards: false, ignoresCase: true };
const like: Comparison = { hasWildcards: true, ignoresCase: false };

/** String condition operators (IAM JSON policy elements: Condition operators, "String condition operators"). */
export const stringOperators: readonly ComparisonOperator[] = [
  stringOperator('StringEquals', exact, false),
  stringOperator('StringNotEquals', exact, true),
  stringOperator('StringEqualsIgnoreCase', anyCase, false),
  stringOperator('StringNotEqualsIgnoreCase', anyCase, true),
  stringOperator('StringLike', like, false),
  stringOperator('StringNotLike', like, true),
];

function stringOperator(name: string, comparison: Comparison, isNegated: boolean): ComparisonOperator {
  return { name, isNegated, compile: (source, report) => compileStrings(source, comparison, report) };
}

function compileStrings(source: OperandSource, comparison: Comparison, report: Report): ValueTest {
  const { hasWildcards, ignoresCase } = comparison;
  const tests = source.values.flatMap((value) => {
    if (hasWildcards) checkStars(value, report);
    const tokens = parseTemplate(value, { hasWildcards, hasVariables: source.hasVariables }, report);
    return tokens === undefined
      ? []
      : [ignoresCase ? compileTemplate(tokens, foldCase) : compileTemplate(tokens)];
  });
  const steps = tests.length * stepsPerOperand;
  const matches: ValueTest = (value, scope) => {
    scope.budget.spend(steps);
    return someTruth(tests, (test) => test(value, scope));
  };
  if (!ignoresCase) return matches;
  return (value, scope) => {
    scope.budget.spend(value.length * stepsPerFoldedUnit);
    return matches(foldCase(value), scope);
  };
}

/** Cost of a text that differs at its start, in comparisons. */
const stepsPerOperand = 4;

/** Cost of folding a code unit outside ASCII, in comparisons. */
const stepsPerFoldedUnit = 16;
