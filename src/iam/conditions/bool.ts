import { quoted, type Report } from '../problem.ts';
import { someTruth } from '../scope.ts';
import { compileTemplate, parseTemplate, type ValueTest } from '../variables.ts';
import type { ConditionOperator, OperandSource } from './operator.ts';

/** `Bool`: true or false ignoring case; a request value that is neither matches nothing. */
export const boolOperator: ConditionOperator = { name: 'Bool', isNegated: false, compile: compileBooleans };

function compileBooleans(source: OperandSource, report: Report): ValueTest {
  const tests = source.values.flatMap((value) => {
    const tokens = parseTemplate(value, { hasWildcards: false, hasVariables: source.hasVariables }, report);
    if (tokens === undefined) return [];
    const hasVariable = tokens.some(({ kind }) => kind === 'variable');
    if (!hasVariable && !isBoolean(value.toLowerCase())) {
      report(`${quoted(value)} is not true or false`);
    }
    return [compileTemplate(tokens, (text) => text.toLowerCase())];
  });
  return (value, scope) => isBoolean(value.toLowerCase()) && someTruth(tests, (test) => test(value, scope));
}

function isBoolean(lowerCaseText: string): boolean {
  return lowerCaseText === 'true' || lowerCaseText === 'false';
}
