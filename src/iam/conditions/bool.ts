import { DecisionError } from '../decision-error.ts';
import { foldCase } from '../fold-case.ts';
import { quoted, type Report } from '../problem.ts';
import { someTruth } from '../scope.ts';
import { compileTemplate, parseTemplate, type ValueTest } from '../variables.ts';
import type { ComparisonOperator, OperandSource } from './operator.ts';

/** `Bool`: true or false ignoring case; a request value that is neither throws, so that no Deny is lost. */
export const boolOperator: ComparisonOperator = { name: 'Bool', isNegated: false, compile: compileBooleans };

function compileBooleans(source: OperandSource, report: Report): ValueTest {
  const constants = new Set<string>();
  const templates = source.values.flatMap((value) => {
    const tokens = parseTemplate(value, { hasWildcards: false, hasVariables: source.hasVariables }, report);
    if (tokens === undefined) return [];
    if (tokens.some(({ kind }) => kind === 'variable')) return [compileTemplate(tokens, foldCase)];
    const folded = foldCase(value);
    if (!isBoolean(folded)) report(`${quoted(value)} is not true or false`);
    constants.add(folded);
    return [];
  });
  const [holdsForTrue, holdsForFalse] = [constants.has('true'), constants.has('false')];
  return (value, scope) => {
    const folded = readBoolean(value);
    if (folded === 'true' ? holdsForTrue : holdsForFalse) return true;
    return templates.length > 0 && someTruth(templates, (test) => test(folded, scope));
  };
}

/** A request's value in lower case. @throws DecisionError when it is neither true nor false. */
function readBoolean(value: string): string {
  if (isBoolean(value)) return value;
  const folded = value.length <= maxBooleanLength ? foldCase(value) : '';
  if (isBoolean(folded)) return folded;
  throw new DecisionError('malformed-value', 'a Bool condition tests a value that is not true or false');
}

const maxBooleanLength = 5;

function isBoolean(lowerCaseText: string): boolean {
  return lowerCaseText === 'true' || lowerCaseText === 'false';
}
