import { quoted, type Report } from '../problem.ts';
import { boolOperator } from './bool.ts';
import { ipAddressOperators } from './ip-address.ts';
import type { ConditionOperator } from './operator.ts';
import { stringOperators } from './string.ts';

/** `ForAllValues:` or `ForAnyValue:`. */
export type SetOperator = 'ForAllValues' | 'ForAnyValue';

/** An operator with its form, as the name of a condition block spells it. */
export interface OperatorForm {
  readonly operator: ConditionOperator;
  readonly setOperator: SetOperator | undefined;
  readonly isIfExists: boolean;
}

const operators: ReadonlyMap<string, ConditionOperator> = new Map(
  [...stringOperators, boolOperator, ...ipAddressOperators].map((operator) => [
    operator.name.toLowerCase(),
    operator,
  ]),
);

/** Operators that AWS has and this version does not evaluate: refused by name, so that nobody believes in them. */
const notSupported: ReadonlySet<string> = new Set(
  [
    ...['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].flatMap(
      (comparison) => [`Numeric${comparison}`, `Date${comparison}`],
    ),
    'BinaryEquals',
    ...['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'],
    'Null',
  ].map((name) => name.toLowerCase()),
);

const nameParts = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/;

/** Reads the name of a condition block, ignoring case; reports an unknown one and returns `undefined`. */
export function parseOperatorName(name: string, report: Report): OperatorForm | undefined {
  const [, setOperator, base = '', ifExists] = nameParts.exec(name.toLowerCase()) ?? [];
  const operator = operators.get(base);
  if (operator === undefined) {
    report(
      notSupported.has(base)
        ? `the condition operator ${quoted(name)} is not supported by this version`
        : `${quoted(name)} is not a condition operator`,
    );
    return undefined;
  }
  return {
    operator,
    setOperator:
      setOperator === undefined ? undefined : setOperator === 'forallvalues' ? 'ForAllValues' : 'ForAnyValue',
    isIfExists: ifExists !== undefined,
  };
}
