import { foldCase } from '../../core/fold-case.ts';
import { compileTemplate } from '../compile-template.ts';
import { quoted, type Report } from '../problem.ts';
import { someResumable } from '../scope.ts';
import { parseTemplate } from '../variables.ts';
import type { Comparison, ComparisonOperator, OperandSource } from './operator.ts';

/** `Bool`: true or false, ignoring case. Any other request value is unreadable, so that no Deny is lost. */
export const boolOperator: ComparisonOperator = { name: 'Bool', isNegated: false, compile: compileBooleans };

function compileBooleans(source: OperandSource, report: Report): Comparison {
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
    if (folded === undefined) return 'unreadable';
    if (folded === 'true' ? holdsForTrue : holdsForFalse) return true;
    return templates.length > 0 && someResumable(templates, scope, (test) => test(folded, scope));
  };
}

/** A request's value in lower case; `undefined` when it is neither true nor false. */
function readBoolean(value: string): string | undefined {
  if (isBoolean(value)) return value;
  const folded = value.length <= maxBooleanLength ? foldCase(value) : '';
  return isBoolean(folded) ? folded : undefined;
}

const maxBooleanLength = 5;

function isBoolean(lowerCaseText: string): boolean {
  return lowerCaseText === 'true' || lowerCaseText === 'false';
}
