import { unsupportedActions } from '../../src/sts/actions/index.ts';
import { type ModelAction, modelActions } from './sts-model.ts';
import { neverReturned, parameterNotes, returnedMembers } from './sts-notes.ts';

/** How this service treats a parameter. */
export type ParameterState = 'supported' | 'refused' | 'not of AWS' | 'action refused';

/** One row of the table in docs/sts.md. */
export interface ParameterRow {
  readonly action: string;
  readonly parameter: string;
  readonly state: ParameterState;
  readonly takes: string;
  /** Paths below `test/`. */
  readonly tests: readonly string[];
}

/** Every action and parameter of the model, and those of MinIO. @throws Error for what the notes do not have */
export function parameterRows(model: readonly ModelAction[] = modelActions()): readonly ParameterRow[] {
  const modelled = new Map(model.map((action) => [action.name, action]));
  for (const { name, parameters, result } of model) {
    if (unsupportedActions.has(name)) continue;
    requireNotes(name, parameters, Object.keys(parameterNotes[name] ?? {}));
    requireNotes(name, result, [...(returnedMembers[name] ?? []), ...Object.keys(neverReturned)]);
  }
  const taken = Object.entries(parameterNotes).flatMap(([action, notes]) =>
    Object.entries(notes).map(([parameter, { takes, tests, isRefused = false }]): ParameterRow => {
      const isOfAws = parameter === 'none' || modelled.get(action)?.parameters.includes(parameter) === true;
      const state = isRefused ? 'refused' : isOfAws ? 'supported' : 'not of AWS';
      return { action, parameter, state, takes, tests };
    }),
  );
  const refused = model.flatMap(({ name: action, parameters }) =>
    unsupportedActions.has(action)
      ? parameters.map((parameter): ParameterRow => {
          const takes = '`InvalidAction`, with a sentence that says why';
          return { action, parameter, state: 'action refused', takes, tests: ['sts/scoped-sessions'] };
        })
      : [],
  );
  return [...taken, ...refused];
}

function requireNotes(action: string, names: readonly string[], noted: readonly string[]): void {
  const lacking = names.filter((name) => !noted.includes(name));
  if (lacking.length === 0) return;
  throw new Error(
    `the model of the SDK has ${lacking.join(', ')} of ${action}: decide what becomes of it, in test/architecture/sts-notes.ts`,
  );
}

const start = '<!-- Generated from the model of the installed SDK: npm run generate -->';
const end = '<!-- End of what is generated -->';

/** The page with its generated part written anew. */
export function withTables(page: string): string {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error('docs/sts.md has lost the marks of its generated part');
  return `${page.slice(0, from)}${start}\n\n${tables()}\n\n${page.slice(to)}`;
}

function tables(): string {
  const rows = parameterRows().map(({ action, parameter, state, takes, tests }) => [
    `\`${action}\``,
    parameter === 'none' ? 'none' : `\`${parameter}\``,
    state,
    takes,
    tests.map((path) => `[${path}](../test/${path}.test.ts)`).join(', '),
  ]);
  const results = modelActions()
    .filter(({ name }) => !unsupportedActions.has(name))
    .map(({ name, result }) => {
      const codes = (isNever: boolean): string =>
        result
          .filter((member) => member in neverReturned === isNever)
          .map((member) => `\`${member}\``)
          .join(', ');
      return [`\`${name}\``, codes(false), codes(true)];
    });
  const reasons = Object.entries(neverReturned).map(([member, reason]) => `\`${member}\` (${reason})`);
  return [
    table(['action', 'parameter', 'state', 'takes', 'tests'], rows),
    `The members of AWS's results. Never returned: ${reasons.join(', ')}.`,
    table(['action', 'returned', 'never returned'], results),
  ].join('\n\n');
}

/** A table with columns as wide as the formatter makes them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[], filler = ' '): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0, filler)).join(' | ')} |`;
  return [
    line(head),
    line(
      head.map(() => ''),
      '-',
    ),
    ...rows.map((row) => line(row)),
  ].join('\n');
}
