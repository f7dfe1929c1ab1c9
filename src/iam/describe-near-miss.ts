import type { NearMissSentence } from '../core/request-record.ts';
import { shownText } from '../core/shown-text.ts';
import type { StatementReference } from './compile.ts';
import type { FailedTest, ShownValues } from './failed-test.ts';
import type { NearMiss } from './near-miss.ts';

/** ``Statement ReadReports[1]: StringLike s3:prefix `red/` does not match `blue/*` ``. */
export function describeNearMiss({ statement, failed, otherFailures }: NearMiss): NearMissSentence {
  const { requested, wanted } = failed;
  return {
    before: `${nameOf(statement)}: ${subjectOf(failed)}`,
    requested: requested.values.length === 0 ? '' : ` ${listed(requested, ', ')}`,
    after: predicateOf(failed, listed(wanted, ' or ')) + furtherFailures(otherFailures),
  };
}

/** The whole sentence of {@link describeNearMiss}. */
export function nearMissText(miss: NearMiss): string {
  const { before, requested, after } = describeNearMiss(miss);
  return before + requested + after;
}

/** A near miss as a sealed message carries it. */
export function sealedNearMiss(
  miss: NearMiss | undefined,
): (Pick<NearMiss, 'policyType' | 'statement'> & { readonly text: string }) | undefined {
  return miss && { policyType: miss.policyType, statement: miss.statement, text: nearMissText(miss) };
}

const maxNameUnits = 128;

/** The name of a policy, or the end of its ARN. A name with a space is one of the engine's own, as `trust policy`. */
function nameOf({ policy, sid, index }: StatementReference): string {
  const name = shownText(policy.slice(policy.lastIndexOf('/') + 1), maxNameUnits);
  const position = name.includes(' ') ? `Statement[${index}] of the ${name}` : `Statement ${name}[${index}]`;
  return sid === undefined ? position : `${position} (Sid "${shownText(sid, maxNameUnits)}")`;
}

function subjectOf(failed: FailedTest): string {
  return failed.element === 'Condition' ? `${failed.operator} ${failed.key}` : 'the resource';
}

function predicateOf(failed: FailedTest, wanted: string): string {
  if (failed.element !== 'Condition')
    return failed.element === 'Resource' ? ` does not match ${wanted}` : ` matches NotResource ${wanted}`;
  switch (failed.reason) {
    case 'hidden':
      return `, whose value is not shown, is compared with ${wanted}`;
    case 'absent':
      return ` is not in the request, and ${wanted} is wanted`;
    case 'present':
      return ` is in the request, and ${wanted} is wanted`;
    case 'several':
      return ' is a list, which only ForAllValues and ForAnyValue compare';
    case 'unreadable':
      return ' is not a value that the operator can read';
    case 'ambiguous':
      return ' has several values, under keys that differ only in case';
    case 'mismatch':
      return `${/not/i.test(failed.operator) ? ' matches' : ' does not match'} ${wanted}`;
  }
}

function listed({ values, others }: ShownValues, conjunction: ', ' | ' or '): string {
  const shown = values.map((text) => `\`${text}\``);
  if (values.length === 0)
    return others === 1 ? 'a value that is not shown' : `${others} values that are not shown`;
  if (others > 0) shown.push(`${others} ${others === 1 ? 'other' : 'others'}`);
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')}${conjunction}${last}`;
}

function furtherFailures(count: number): string {
  if (count === 0) return '';
  return count === 1 ? ', and 1 more condition fails' : `, and ${count} more conditions fail`;
}
