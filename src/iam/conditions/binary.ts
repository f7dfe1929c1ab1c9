import { quoted, type Report } from '../problem.ts';
import type { Comparison, ComparisonOperator, OperandSource } from './operator.ts';

/**
 * `BinaryEquals` (IAM JSON policy elements: Condition operators, "Binary condition operator"): bytes in base64
 * (RFC 4648 section 4), padded and canonical. Any other request value is unreadable, so that no Deny is lost.
 */
export const binaryEqualsOperator: ComparisonOperator = {
  name: 'BinaryEquals',
  isNegated: false,
  compile: compileBytes,
};

function compileBytes({ values }: OperandSource, report: Report): Comparison {
  for (const text of values) {
    if (!isCanonical(text)) report(`${quoted(text)} is not base64`);
  }
  // Bytes have one canonical text, so equal texts are equal bytes.
  const operands = new Set(values);
  return (text, scope) => {
    scope.budget.spend(stepsToRead + text.length * stepsPerUnit);
    return isCanonical(text) ? operands.has(text) : 'unreadable';
  };
}

/** Cost of decoding an empty text and encoding it again, in comparisons. */
const stepsToRead = 80;

/** Cost of each of its code units. */
const stepsPerUnit = 1;

/** True for canonical base64. */
function isCanonical(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}
