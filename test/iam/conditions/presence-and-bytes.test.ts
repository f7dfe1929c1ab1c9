import { describe, expect, it } from 'vitest';
import { conditionOutcome } from '../../support/raw-policies.ts';

describe('Null', () => {
  it.each([
    ['an absent key', [] as string[], true],
    ['an empty value', '', false],
    ['one value', 'x', false],
    ['several values', ['x', 'y'], false],
  ])('with %s', (_title, value, isNull) => {
    expect(conditionOutcome('Null', 'true', value)).toBe(isNull);
    expect(conditionOutcome('Null', 'FALSE', value)).toBe(!isNull);
    expect(conditionOutcome('null', true, value)).toBe(isNull);
    expect(conditionOutcome('Null', [true, false], value)).toBe(true);
  });
});

describe('BinaryEquals', () => {
  it('compares bytes', () => {
    expect(conditionOutcome('BinaryEquals', ['/w==', 'QmluYXJ5'], 'QmluYXJ5')).toBe(true);
    expect(conditionOutcome('BinaryEquals', 'QmluYXJ5', 'QmluYXJ6')).toBe(false);
    expect(conditionOutcome('BinaryEquals', 'QmluYXJ5', 'qMLUyxj5')).toBe(false);
    expect(conditionOutcome('BinaryEquals', '', '')).toBe(true);
  });
});
