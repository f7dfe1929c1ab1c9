import { DecisionError } from '../decision-error.ts';
import { foldCase } from '../fold-case.ts';
import { quoted, type Report } from '../problem.ts';
import { someTruth } from '../scope.ts';
import { compileTemplate, parseTemplate, type ValueTest } from '../variables.ts';
import type { ComparisonOperator, OperandSource } from './operator.ts';

/** `Bool`: true or false ignoring case; a request value that is neither throws, so that no Deny is lost. */
export const boolOperator: ComparisonOperator = { name: 'Bool', isNegated: false, compile: compileBooleans };

function compileBooleans(source: OperandSource, report: Report): ValueTest {
  const tests = source.values.flatMap((value) => {
    const tokens = parseTemplate(value, { hasWildcards: false, hasVariables: source.hasVariables }, report);
    if (tokens === undefined) return [];
    const hasVariable = tokens.some(({ kind }) => kind === 'variable');
    if (!hasVariable && !isBoolean(foldCase(value))) {
      report(`${quoted(value)} is not true or false`);
    }
    return [compileTemplate(tokens, foldCase)];
  });
  return (value, scope) => {
    const folded = value.length <= maxBooleanLength ? foldCase(value) : '';
    if (!isBoolean(folded))
      throw new DecisionError('malformed-value', 'a Bool condition tests a value that is not true or false');
    return someTruth(tests, (test) => test(folded, scope));
  };
}

const maxBooleanLength = 5;

function isBoolean(lowerCaseText: string): boolean {
  return lowerCaseText === 'true' || lowerCaseText === 'false';
}
