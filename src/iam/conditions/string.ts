import { foldCase } from '../../core/fold-case.ts';
import { compileTemplate } from '../compile-template.ts';
import { checkStars } from '../limits.ts';
import type { Report } from '../problem.ts';
import { someResumable } from '../scope.ts';
import { parseTemplate } from '../variables.ts';
import type { Comparison, ComparisonOperator, OperandSource } from './operator.ts';

interface Wanted {
  readonly hasWildcards: boolean;
  readonly ignoresCase: boolean;
}

const exact: Wanted = { hasWildcards: false, ignoresCase: false };
const anyCase: Wanted = { hasWildcards: false, ignoresCase: true };
const like: Wanted = { hasWildcards: true, ignoresCase: false };

/** String condition operators (IAM JSON policy elements: Condition operators, "String condition operators"). */
export const stringOperators: readonly ComparisonOperator[] = [
  stringOperator('StringEquals', exact, false),
  stringOperator('StringNotEquals', exact, true),
  stringOperator('StringEqualsIgnoreCase', anyCase, false),
  stringOperator('StringNotEqualsIgnoreCase', anyCase, true),
  stringOperator('StringLike', like, false),
  stringOperator('StringNotLike', like, true),
];

function stringOperator(name: string, wanted: Wanted, isNegated: boolean): ComparisonOperator {
  return { name, isNegated, compile: (source, report) => compileStrings(source, wanted, report) };
}

function compileStrings(source: OperandSource, wanted: Wanted, report: Report): Comparison {
  const { hasWildcards, ignoresCase } = wanted;
  const tests = source.values.flatMap((value) => {
    if (hasWildcards) checkStars(value, report);
    const tokens = parseTemplate(value, { hasWildcards, hasVariables: source.hasVariables }, report);
    return tokens === undefined
      ? []
      : [ignoresCase ? compileTemplate(tokens, foldCase) : compileTemplate(tokens)];
  });
  const steps = tests.length * stepsPerOperand;
  const [only] = tests;
  const matches: Comparison = (value, scope) => {
    scope.budget.spend(steps);
    if (only !== undefined && tests.length === 1) return only(value, scope);
    return someResumable(tests, scope, (test) => test(value, scope));
  };
  if (!ignoresCase) return matches;
  return (value, scope) => {
    scope.budget.spend(value.length * stepsPerFoldedUnit);
    return matches(foldCase(value), scope);
  };
}

/** Cost of a text that differs at its start, in comparisons. */
const stepsPerOperand = 8;

/** Cost of folding a code unit outside ASCII, in comparisons. */
const stepsPerFoldedUnit = 16;
