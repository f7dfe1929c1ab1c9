import { ambiguous } from '../key-table.ts';
import type { Report } from '../problem.ts';
import {
  type EvaluationScope,
  everyResumable,
  notTruth,
  type Reading,
  type Resumable,
  someResumable,
  waiting,
} from '../scope.ts';
import { type ComparisonForm, parseOperatorName } from './index.ts';
import type { Comparison, OperandSource, PresenceOperator } from './operator.ts';

/** One key of a Condition block with its operator and values, as the document has them. */
export interface ConditionSource {
  /** The operator's name as the document spells it. */
  readonly operator: string;
  /** The condition key as the document spells it, for explanations. */
  readonly name: string;
  /** The condition key in lower case. */
  readonly key: string;
  /** The policy's values as strings; at least one. */
  readonly values: readonly string[];
}

/** A condition that was read, with its test. */
export interface Condition extends ConditionSource {
  readonly holds: ConditionTest;
}

/** Tests a condition against a request. */
export type ConditionTest = (scope: EvaluationScope) => Resumable<Reading>;

/**
 * Compiles a condition. Problems of its operator or values are reported; use the result only when there are none.
 */
export function compileCondition(
  condition: ConditionSource,
  hasVariables: boolean,
  report: Report,
): ConditionTest {
  const form = parseOperatorName(condition.operator, report);
  if (form === undefined) return () => false;
  const source = { values: condition.values, hasVariables };
  return 'setOperator' in form
    ? compileComparison(form, condition.key, source, report)
    : compilePresence(form.operator, condition.key, source, report);
}

function compileComparison(
  form: ComparisonForm,
  key: string,
  source: OperandSource,
  report: Report,
): ConditionTest {
  const matches = form.operator.compile(source, report);
  const passes: Comparison = form.operator.isNegated
    ? (value, scope) => notTruth(matches(value, scope))
    : matches;
  const testValues = compileForm(form, passes);
  const whenAbsent = resultWhenAbsent(form);
  return (scope) => {
    const state = scope.lookUp(key);
    if (state === undefined) return whenAbsent;
    if (state === waiting) return 'unknown';
    if (state === ambiguous) return 'unreadable';
    // For a single value, all forms agree.
    return typeof state === 'string' ? passes(state, scope) : testValues(state, scope);
  };
}

function compilePresence(
  operator: PresenceOperator,
  key: string,
  source: OperandSource,
  report: Report,
): ConditionTest {
  const holds = operator.compilePresence(source, report);
  return (scope) => {
    const state = scope.lookUp(key);
    return state === waiting ? 'unknown' : holds(state !== undefined);
  };
}

/** A set operator takes precedence over `IfExists`. */
function resultWhenAbsent({ operator, setOperator, isIfExists }: ComparisonForm): boolean {
  if (setOperator !== undefined) return setOperator === 'ForAllValues';
  return isIfExists || operator.isNegated;
}

function compileForm(
  { setOperator }: ComparisonForm,
  passes: Comparison,
): (values: readonly string[], scope: EvaluationScope) => Resumable<Reading> {
  if (setOperator === 'ForAllValues') {
    return (values, scope) => everyResumable(values, scope, (value) => passes(value, scope));
  }
  if (setOperator === 'ForAnyValue') {
    return (values, scope) => someResumable(values, scope, (value) => passes(value, scope));
  }
  return (values, scope) => {
    const value = values[0];
    // Several values need a set operator.
    return value !== undefined && values.length === 1 && passes(value, scope);
  };
}
