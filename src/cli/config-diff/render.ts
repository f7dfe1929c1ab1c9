import type { RightsChange } from './compare-rights.ts';
import type { Outcome } from './outcome.ts';

/** Changes of one caller that differ in action and place alone. */
export interface ChangeGroup {
  readonly principal: string;
  readonly change: 'gains' | 'loses' | 'conditions';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly before: Outcome;
  readonly after: Outcome;
}

/** Changes with the same caller, outcomes and actions become one; the order stays. */
export function groupChanges(changes: readonly RightsChange[]): readonly ChangeGroup[] {
  const byPlace = gathered(changes, ({ principal, asked: { label }, before, after }) => [
    principal,
    label,
    keyOf(before),
    keyOf(after),
  ]);
  const lines = byPlace.map((same) => {
    const [{ principal, asked, before, after }] = same;
    const actions = [...new Set(same.map((one) => one.asked.known.action))].sort();
    return { principal, before, after, actions, label: asked.label };
  });
  return gathered(lines, ({ principal, actions, before, after }) => [
    principal,
    keyOf(before),
    keyOf(after),
    ...actions,
  ]).map((same) => {
    const [{ principal, before, after, actions }] = same;
    const resources = same.map(({ label }) => label);
    return { principal, change: kindOf(before, after), actions, resources, before, after };
  });
}

function gathered<T>(all: readonly T[], keyed: (one: T) => readonly string[]): readonly [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const one of all) {
    const key = JSON.stringify(keyed(one));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

function keyOf(outcome: Outcome): string {
  return outcome.effect === 'depends' ? `${outcome.signature} ${outcome.when}` : outcome.effect;
}

function kindOf(before: Outcome, after: Outcome): ChangeGroup['change'] {
  if (before.effect === 'deny' || after.effect === 'allow') return 'gains';
  return after.effect === 'deny' || before.effect === 'allow' ? 'loses' : 'conditions';
}

/** `role data-reader gains s3:DeleteObject on data/*` */
export function renderGroup({ principal, change, actions, resources, before, after }: ChangeGroup): string {
  const what = `${actions.join(', ')} on ${resources.join(', ')}`;
  const was = before.effect === 'depends' ? before.when : '';
  const is = after.effect === 'depends' ? after.when : '';
  if (change === 'conditions')
    return `${principal} has other conditions for ${what}: now ${is}; before ${was}`;
  if (change === 'gains')
    return `${principal} gains ${what}${is === '' ? '' : ` ${is}`}${was === '' ? '' : `, and not only ${was}`}`;
  return `${principal} loses ${what}${is === '' ? '' : `, and keeps it only ${is}`}${was === '' ? '' : `, which it had ${was}`}`;
}

/** The form of `--json`, see docs/operating.md: fields are added, never renamed. */
export function groupJson({ principal, change, actions, resources, before, after }: ChangeGroup): object {
  return { principal, change, actions, resources, before: outcomeJson(before), after: outcomeJson(after) };
}

function outcomeJson(outcome: Outcome): object {
  return { effect: outcome.effect, when: outcome.effect === 'depends' ? outcome.when : null };
}
