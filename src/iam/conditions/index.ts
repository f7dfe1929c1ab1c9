/*
 * This folder owns the condition operators, with one row for each in the table below.
 * In: the values that a policy gives to a key. Out: a function that compares one value of a request with them.
 * Operators never look up the value of a key, and never build a regular expression from policy text.
 * A malformed policy value is reported when the policy is compiled.
 */

import { quoted, type Report } from '../problem.ts';
import { arnOperators } from './arn.ts';
import { binaryEqualsOperator } from './binary.ts';
import { boolOperator } from './bool.ts';
import { dateOperators } from './date.ts';
import { ipAddressOperators } from './ip-address.ts';
import { nullOperator } from './null.ts';
import { numericOperators } from './numeric.ts';
import type { ComparisonOperator, ConditionOperator, PresenceOperator } from './operator.ts';
import { stringOperators } from './string.ts';

/** `ForAllValues:` or `ForAnyValue:`. */
export type SetOperator = 'ForAllValues' | 'ForAnyValue';

/** A comparison operator with its form, as in `ForAllValues:StringLikeIfExists`. */
export interface ComparisonForm {
  readonly operator: ComparisonOperator;
  readonly setOperator: SetOperator | undefined;
  readonly isIfExists: boolean;
}

/** A condition operator in the form that the name of a condition block gives it. */
export type OperatorForm = ComparisonForm | { readonly operator: PresenceOperator };

/** Every condition operator of AWS. */
export const conditionOperators: readonly ConditionOperator[] = [
  ...stringOperators,
  ...numericOperators,
  ...dateOperators,
  boolOperator,
  binaryEqualsOperator,
  ...ipAddressOperators,
  ...arnOperators,
  nullOperator,
];

const byName: ReadonlyMap<string, ConditionOperator> = new Map(
  conditionOperators.map((operator) => [operator.name.toLowerCase(), operator]),
);

const nameParts = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/;

/** Reads the name of a condition block, ignoring case. Reports an unknown one and returns `undefined`. */
export function parseOperatorName(name: string, report: Report): OperatorForm | undefined {
  const [, setOperator, base = '', ifExists] = nameParts.exec(name.toLowerCase()) ?? [];
  const operator = byName.get(base);
  if (operator === undefined) {
    report(`${quoted(name)} is not a condition operator`);
    return undefined;
  }
  if ('compilePresence' in operator) {
    if (setOperator === undefined && ifExists === undefined) return { operator };
    report(`${operator.name} takes neither IfExists nor a set operator`);
    return undefined;
  }
  return {
    operator,
    setOperator:
      setOperator === undefined ? undefined : setOperator === 'forallvalues' ? 'ForAllValues' : 'ForAnyValue',
    isIfExists: ifExists !== undefined,
  };
}
