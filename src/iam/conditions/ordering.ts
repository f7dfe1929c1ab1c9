import { quoted, type Report } from '../problem.ts';
import type { Comparison, ComparisonOperator, OperandSource } from './operator.ts';

/** A family of values that have an order. */
export interface OrderedFamily<T> {
  /** Prefix of the operators' names. */
  readonly name: 'Numeric' | 'Date';
  /** What a value must be, for messages: `a number`. */
  readonly noun: string;
  /** Cost of parsing a value, in comparisons of two code units. */
  readonly stepsToParse: number;
  /** Reads a value of a policy or a request; `undefined` when malformed. */
  readonly parse: (text: string) => T | undefined;
  /** Negative when `left` comes first, 0 when both are the same, positive otherwise. */
  readonly compare: (left: T, right: T) => number;
}

interface Relation {
  readonly name: string;
  readonly isNegated: boolean;
  /** Takes the comparison of the request's value with the policy's. */
  readonly holds: (order: number) => boolean;
}

const isEqual = (order: number): boolean => order === 0;

const relations: readonly Relation[] = [
  { name: 'Equals', isNegated: false, holds: isEqual },
  { name: 'NotEquals', isNegated: true, holds: isEqual },
  { name: 'LessThan', isNegated: false, holds: (order) => order < 0 },
  { name: 'LessThanEquals', isNegated: false, holds: (order) => order <= 0 },
  { name: 'GreaterThan', isNegated: false, holds: (order) => order > 0 },
  { name: 'GreaterThanEquals', isNegated: false, holds: (order) => order >= 0 },
];

/**
 * The six comparison operators of a family. A request value that does not parse is unreadable: otherwise `NotEquals` would
 * hold for it in an Allow, and a Deny with another operator would be lost.
 */
export function orderedOperators<T>(family: OrderedFamily<T>): ComparisonOperator[] {
  return relations.map(({ name, isNegated, holds }) => ({
    name: `${family.name}${name}`,
    isNegated,
    compile: (source, report) => {
      const operands = readOperands(source, family, report);
      return compileComparison(operands, family, holds);
    },
  }));
}

function readOperands<T>({ values }: OperandSource, { parse, noun }: OrderedFamily<T>, report: Report): T[] {
  return values.flatMap((text) => {
    const operand = parse(text);
    if (operand === undefined) report(`${quoted(text)} is not ${noun}`);
    return operand === undefined ? [] : [operand];
  });
}

function compileComparison<T>(
  operands: readonly T[],
  { stepsToParse, parse, compare }: OrderedFamily<T>,
  holds: Relation['holds'],
): Comparison {
  const steps = stepsToParse + operands.length * stepsPerComparison;
  return (text, scope) => {
    scope.budget.spend(steps);
    const value = parse(text);
    return value === undefined ? 'unreadable' : operands.some((operand) => holds(compare(value, operand)));
  };
}

const stepsPerComparison = 7;
