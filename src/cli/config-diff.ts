/*
 * The folder config-diff/ compares two configurations: who gains and who loses what.
 * In: two configurations without problems. Out: decisions that differ, and differences of keys, sessions and settings.
 * It decides nothing itself: it asks the engine of the running sidecar, through `policy/decide-question.ts`.
 * It never says that a condition holds: what depends on the request is reported with its conditions.
 */

import { loadConfiguration } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { compareRecords } from './config-diff/compare-records.ts';
import { compareRights } from './config-diff/compare-rights.ts';
import { groupChanges, groupJson, renderGroup } from './config-diff/render.ts';
import { buildSide, type Loaded } from './config-diff/side.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** Prints in words what one configuration allows, ends or changes that the other does not; as `diff` does, 0 for nothing, 1 for something. */
export function diffConfigurations(
  { old, next }: { readonly old: string; readonly next: string },
  isJson: boolean,
  terminal: Terminal,
): number {
  const before = load(old, terminal);
  const after = load(next, terminal);
  if (before === undefined || after === undefined) return exitCodes.badConfiguration;
  const records = compareRecords(before, after);
  const rights = compareRights(buildSide(before), buildSide(after), systemClock.now());
  const groups = groupChanges(rights.changes);
  const { incomplete, questions } = rights;
  const count = groups.length + records.length + incomplete.length;
  if (isJson) {
    const document = {
      version: 1,
      same: count === 0,
      rights: groups.map(groupJson),
      records,
      incomplete,
      questions,
    };
    terminal.data(JSON.stringify(document, undefined, 2));
  } else {
    const lines = [
      ...groups.map(renderGroup),
      ...records.map(({ text }) => text),
      ...incomplete.map((who) => `${who} is not compared in full: its policies have too many changes`),
    ];
    for (const line of lines) terminal.data(printable(line));
  }
  terminal.prose(`${questions} decisions compared, ${count} differences`);
  return count === 0 ? exitCodes.ok : exitCodes.failure;
}

function load(path: string, terminal: Terminal): Loaded | undefined {
  const loaded = loadConfiguration(path, {});
  if (loaded.ok) return loaded;
  for (const problem of loaded.problems) terminal.prose(problem);
  return undefined;
}

/** Control characters of a value of a policy would reach the terminal. */
function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1));
}
