import type { ComparisonOperator } from './operator.ts';
import { orderedOperators } from './ordering.ts';

/**
 * Numeric condition operators (IAM JSON policy elements: Condition operators, "Numeric condition operators"): decimal
 * numbers, compared exactly and not as floating-point values, so that 9007199254740993 is not 9007199254740992.
 */
export const numericOperators: readonly ComparisonOperator[] = orderedOperators({
  name: 'Numeric',
  noun: 'a number',
  stepsToParse: 100,
  parse: parseDecimal,
  compare: compareDecimals,
});

/** `sign` × 0.`digits` × 10^`magnitude`; zero has sign 0. */
interface Decimal {
  readonly sign: -1 | 0 | 1;
  readonly magnitude: number;
  /** Without zeros at either end; empty for zero. */
  readonly digits: string;
}

const decimalSyntax = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-]?[0-9]{1,4}))?$/i;

/** Longer than any number that JSON.stringify writes (24 characters), and than any real value. */
const maxNumberLength = 64;

function parseDecimal(text: string): Decimal | undefined {
  const parts = text.length <= maxNumberLength ? decimalSyntax.exec(text) : null;
  if (parts === null) return undefined;
  const [, minus, whole = '', fraction = '', exponent = '0'] = parts;
  const written = whole + fraction;
  const digits = written.replace(/^0+/, '');
  if (digits === '') return { sign: 0, magnitude: 0, digits };
  const leadingZeros = written.length - digits.length;
  return {
    sign: minus === '-' ? -1 : 1,
    magnitude: whole.length - leadingZeros + Number(exponent),
    digits: digits.replace(/0+$/, ''),
  };
}

function compareDecimals(left: Decimal, right: Decimal): number {
  if (left.sign !== right.sign) return left.sign - right.sign;
  if (left.magnitude !== right.magnitude) return left.sign * (left.magnitude - right.magnitude);
  if (left.digits === right.digits) return 0;
  // Both are fractions from 0.1 to 1, whose digits compare like text.
  return left.digits < right.digits ? -left.sign : left.sign;
}
