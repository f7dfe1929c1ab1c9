import { withoutSecrets } from '../core/referer.ts';
import { shownText } from '../core/shown-text.ts';
import type { CompiledStatement } from './compile.ts';
import type { Condition } from './conditions/condition.ts';
import { ambiguous } from './key-table.ts';
import type { ResourceRange } from './match-resource.ts';
import type { EvaluationScope } from './scope.ts';
import { withVariables } from './variables.ts';

/** The first of several values, and how many there are besides. */
export interface ShownValues {
  /** At most three, each cut after 128 characters. */
  readonly values: readonly string[];
  readonly others: number;
}

/** The test of a statement that a request did not pass. Its texts are bounded and can be shown. */
export type FailedTest =
  | {
      readonly element: 'Condition';
      /** As the policy spells it. */
      readonly operator: string;
      /** The condition key, as the policy spells it. */
      readonly key: string;
      /**
       * Why: the values differ; the request has no such key, or has one that must be absent; several values need a set operator; the
       * operator cannot read the value; or tags whose keys differ only in case have different values. Of a key that had to be looked
       * up, such as a tag of the object, only that it is compared.
       */
      readonly reason: 'hidden' | 'mismatch' | 'absent' | 'present' | 'several' | 'unreadable' | 'ambiguous';
      /** Of the request. */
      readonly requested: ShownValues;
      /** Of the policy, with its variables replaced. */
      readonly wanted: ShownValues;
    }
  | {
      readonly element: 'Resource' | 'NotResource';
      readonly requested: ShownValues;
      /** The pattern that is nearest to it. */
      readonly wanted: ShownValues;
    };

/** How the values of a policy are to be shown. */
interface Showing {
  readonly scope: EvaluationScope;
  /** True when `${…}` is a variable. */
  readonly hasVariables: boolean;
}

/** A condition that does not hold. */
export function failedCondition(source: Condition, isUnreadable: boolean, showing: Showing): FailedTest {
  const { operator, name, key, values } = source;
  const { context } = showing.scope.query;
  const state = context.value(key);
  const requested = typeof state === 'string' ? [state] : typeof state === 'object' ? state : [];
  return {
    element: 'Condition',
    operator,
    key: shownText(name, maxShownUnits),
    reason: context.isLazy(key) ? 'hidden' : reasonOf(operator, state, isUnreadable),
    requested: shownValues(requested, (text) => withoutSecrets(key, text)),
    wanted: sharedSecrets.has(key.toLowerCase())
      ? { values: [], others: values.length }
      : shownValues(values, (text) => asRead(text, showing)),
  };
}

/** Keys that policies compare with secrets, as between a CDN and a bucket: a caller could send what a near miss shows. */
const sharedSecrets: ReadonlySet<string> = new Set(['aws:referer', 'aws:useragent']);

type KeyState = ReturnType<EvaluationScope['query']['context']['value']>;

function reasonOf(
  operator: string,
  state: KeyState,
  isUnreadable: boolean,
): Extract<FailedTest, { element: 'Condition' }>['reason'] {
  if (state === undefined) return 'absent';
  if (operator.toLowerCase() === 'null') return 'present';
  if (state === ambiguous) return 'ambiguous';
  if (isUnreadable) return 'unreadable';
  return typeof state === 'object' && state.length > 1 && !operator.includes(':') ? 'several' : 'mismatch';
}

/**
 * A Resource element that does not match, or a NotResource element that does.
 * @param nearest the pattern of the statement to show; there are others besides.
 */
export function failedResource(
  { ranges, excludesResources }: CompiledStatement,
  nearest: ResourceRange,
  showing: Showing,
): FailedTest {
  const wanted = shownValues([nearest.source], (text) => asRead(text, showing));
  return {
    element: excludesResources ? 'NotResource' : 'Resource',
    requested: shownValues([showing.scope.query.resource], (text) => text),
    wanted: { ...wanted, others: ranges.length - 1 },
  };
}

const maxShownValues = 3;
const maxShownUnits = 128;

/** Code units of a policy's value that are read, so that few variables are replaced. */
const maxReadUnits = 256;

function shownValues(values: readonly string[], read: (text: string) => string): ShownValues {
  return {
    values: values.slice(0, maxShownValues).map((text) => shownText(read(text), maxShownUnits)),
    others: Math.max(0, values.length - maxShownValues),
  };
}

function asRead(text: string, { scope, hasVariables }: Showing): string {
  const read = text.length > maxReadUnits ? `${text.slice(0, maxReadUnits)}…` : text;
  return hasVariables ? withVariables(read, scope) : read;
}
