import { DecisionError } from '../decision-error.ts';
import { quoted, type Report } from '../problem.ts';
import type { ValueTest } from '../variables.ts';
import type { ComparisonOperator, OperandSource } from './operator.ts';

/**
 * `BinaryEquals` (IAM JSON policy elements: Condition operators, "Binary condition operator"): bytes in base64
 * (RFC 4648 section 4) with padding and nothing else. A request value that is not base64 throws, so that no Deny is
 * lost.
 */
export const binaryEqualsOperator: ComparisonOperator = {
  name: 'BinaryEquals',
  isNegated: false,
  compile: compileBytes,
};

function compileBytes({ values }: OperandSource, report: Report): ValueTest {
  const operands = values.flatMap((text) => {
    const bytes = decode(text);
    if (bytes === undefined) report(`${quoted(text)} is not base64`);
    return bytes === undefined ? [] : [bytes];
  });
  return (text, scope) => {
    scope.budget.spend(text.length);
    const bytes = decode(text);
    if (bytes === undefined) {
      throw new DecisionError('malformed-value', 'a BinaryEquals condition tests a value that is not base64');
    }
    return operands.some((operand) => operand.equals(bytes));
  };
}

/** `undefined` unless the text is the one that these bytes are written as. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
