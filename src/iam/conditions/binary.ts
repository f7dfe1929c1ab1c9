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
  const operands = values.flatMap((text) => {
    const bytes = decode(text);
    if (bytes === undefined) report(`${quoted(text)} is not base64`);
    return bytes === undefined ? [] : [bytes];
  });
  return (text, scope) => {
    scope.budget.spend(text.length);
    const bytes = decode(text);
    return bytes === undefined ? 'unreadable' : operands.some((operand) => operand.equals(bytes));
  };
}

/** Decodes canonical base64; `undefined` for anything else. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
