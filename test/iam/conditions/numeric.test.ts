import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionOutcome } from '../../support/raw-policies.ts';

describe('numeric operators', () => {
  it.each([
    ['1', '1.0'],
    ['100', '1e2'],
    ['100', '1E+2'],
    ['0', '-0.000e7'],
    ['0.001', '1e-3'],
    ['007', '7'],
    ['-12.50', '-12.5'],
    ['1000000000000000000000', '1e21'],
    ['120e-1', '12'],
  ])('take %s and %s for the same number', (value, operand) => {
    expect(conditionOutcome('NumericEquals', operand, value)).toBe(true);
    expect(conditionOutcome('NumericNotEquals', operand, value)).toBe(false);
    expect(conditionOutcome('NumericLessThanEquals', operand, value)).toBe(true);
    expect(conditionOutcome('NumericGreaterThanEquals', operand, value)).toBe(true);
    expect(conditionOutcome('NumericLessThan', operand, value)).toBe(false);
    expect(conditionOutcome('NumericGreaterThan', operand, value)).toBe(false);
  });

  it.each([
    ['9', '10'],
    ['-10', '-9'],
    ['-1', '0'],
    ['0', '1e-300'],
    ['1.29', '1.3'],
    ['9007199254740992', '9007199254740993'],
    ['0.1', '0.1000000000000000055'],
    ['-9007199254740993', '-9007199254740992'],
    ['1e308', '1e309'],
    ['99e-1', '1e1'],
    ['12', '123'],
  ])('take %s for less than %s', (value, operand) => {
    expect(conditionOutcome('NumericLessThan', operand, value)).toBe(true);
    expect(conditionOutcome('NumericLessThanEquals', operand, value)).toBe(true);
    expect(conditionOutcome('NumericNotEquals', operand, value)).toBe(true);
    expect(conditionOutcome('NumericEquals', operand, value)).toBe(false);
    expect(conditionOutcome('NumericGreaterThan', operand, value)).toBe(false);
    expect(conditionOutcome('NumericGreaterThanEquals', operand, value)).toBe(false);
    expect(conditionOutcome('NumericGreaterThan', value, operand)).toBe(true);
  });

  it('read every spelling that JavaScript gives a number', () => {
    expect(conditionOutcome('NumericEquals', 1e21, `1${'0'.repeat(21)}`)).toBe(true);
    expect(conditionOutcome('NumericEquals', 1e-7, '0.0000001')).toBe(true);
    expect(conditionOutcome('NumericEquals', [5, -2.5], '-2.5')).toBe(true);
  });

  it('need one of several values, and for NotEquals none of them', () => {
    expect(conditionOutcome('NumericLessThan', ['1', '10'], '5')).toBe(true);
    expect(conditionOutcome('NumericLessThan', ['1', '5'], '5')).toBe(false);
    expect(conditionOutcome('NumericNotEquals', ['1', '5'], '5')).toBe(false);
    expect(conditionOutcome('NumericNotEquals', ['1', '6'], '5')).toBe(true);
  });

  it('order whole numbers as BigInt does', () => {
    const whole = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
    fc.assert(
      fc.property(whole, whole, (left, right) => {
        expect(conditionOutcome('NumericLessThan', String(right), String(left))).toBe(left < right);
        expect(conditionOutcome('NumericEquals', String(right), String(left))).toBe(left === right);
      }),
      { numRuns: 500 },
    );
  });

  it('order short decimals as floating-point numbers do', () => {
    const short = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -9, max: 9 }));
    fc.assert(
      fc.property(short, short, ([left, leftExponent], [right, rightExponent]) => {
        const [one, other] = [`${left}e${leftExponent}`, `${right}e${rightExponent}`];
        expect(conditionOutcome('NumericGreaterThan', other, one)).toBe(Number(one) > Number(other));
        expect(conditionOutcome('NumericLessThanEquals', other, one)).toBe(Number(one) <= Number(other));
      }),
      { numRuns: 500 },
    );
  });
});
