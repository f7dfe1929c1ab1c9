import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionOutcome } from '../../support/raw-policies.ts';

describe('date operators', () => {
  it.each([
    ['2026', '2026-01-01T00:00:00Z'],
    ['2026-03', '2026-03-01T00:00Z'],
    ['2026-03-04', '2026-03-04T00:00:00.000Z'],
    ['2026-03-04T01:30+01:30', '2026-03-04'],
    ['2026-03-03T19:00:00-05:00', '2026-03-04'],
    ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500Z'],
    ['1767225600', '2026'],
    ['0', '1970'],
    ['99999', '1970-01-02T03:46:39Z'],
    ['999', '1970-01-01T00:16:39Z'],
    ['1969-12-31T23:59:59Z', '1970-01-01T00:59:59+01:00'],
    ['2024-02-29', '1709164800'],
    ['0000-01-01', '0000'],
    ['253402300799', '9999-12-31T23:59:59Z'],
  ])('take %s and %s for the same instant', (value, operand) => {
    expect(conditionOutcome('DateEquals', operand, value)).toBe(true);
    expect(conditionOutcome('DateNotEquals', operand, value)).toBe(false);
    expect(conditionOutcome('DateLessThanEquals', operand, value)).toBe(true);
    expect(conditionOutcome('DateGreaterThanEquals', operand, value)).toBe(true);
    expect(conditionOutcome('DateLessThan', operand, value)).toBe(false);
    expect(conditionOutcome('DateGreaterThan', operand, value)).toBe(false);
  });

  it.each([
    ['2025-12-31T23:59:59.999999999Z', '2026'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000001Z'],
    ['2026-01-01T00:00:00.25Z', '2026-01-01T00:00:00.3Z'],
    ['1969-12-31T23:59:59.2Z', '1969-12-31T23:59:59.7Z'],
    ['1970', '2026'],
    ['1767225599', '2026'],
    ['2026-01-01T00:00:00+00:01', '2026-01-01T00:00:00-00:01'],
    ['0099-12-31', '1999'],
  ])('take %s for earlier than %s', (value, operand) => {
    expect(conditionOutcome('DateLessThan', operand, value)).toBe(true);
    expect(conditionOutcome('DateLessThanEquals', operand, value)).toBe(true);
    expect(conditionOutcome('DateNotEquals', operand, value)).toBe(true);
    expect(conditionOutcome('DateEquals', operand, value)).toBe(false);
    expect(conditionOutcome('DateGreaterThan', operand, value)).toBe(false);
    expect(conditionOutcome('DateGreaterThanEquals', operand, value)).toBe(false);
    expect(conditionOutcome('DateGreaterThan', value, operand)).toBe(true);
  });

  it('read a JSON number as seconds', () => {
    expect(conditionOutcome('DateGreaterThan', 1767225600, '2026-01-01T00:00:01Z')).toBe(true);
  });

  it("agree with JavaScript's Date on every instant", () => {
    const instant = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
    fc.assert(
      fc.property(instant, instant, (left, right) => {
        const [one, other] = [left.toISOString(), right.toISOString()];
        expect(conditionOutcome('DateLessThan', other, one)).toBe(left.getTime() < right.getTime());
        const seconds = Math.floor(right.getTime() / 1000);
        if (String(seconds).length === 4) return;
        expect(conditionOutcome('DateGreaterThanEquals', seconds, one)).toBe(
          left.getTime() >= seconds * 1000,
        );
      }),
      { numRuns: 500 },
    );
  });
});
