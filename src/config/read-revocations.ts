import type { DirectoryRecords } from '../directory/records.ts';
import { RevocationNames } from '../revocation/revocation-names.ts';
import {
  parseRevocationRecord,
  type RevocationProblem,
  type RevocationRecord,
} from '../revocation/revocation-record.ts';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';
import { sections } from './sections.ts';
import { suggest } from './suggest.ts';

/**
 * Reads `revocations`. An unknown name is a problem: a mistyped one would revoke nothing. An unknown ARN is a warning,
 * since what descends from a deleted role or user lives on. Names are not checked when the directory could not be read.
 */
export function readRevocations(
  reading: Reading,
  directory: DirectoryRecords | undefined,
): readonly RevocationRecord[] | undefined {
  const list = reading.read(['revocations'], sections.revocations);
  if (list === undefined) return undefined;
  const names = directory && new RevocationNames(directory);
  const records = list.flatMap(
    (source, index) => readOne(reading, ['revocations', index], source, names) ?? [],
  );
  return records.length === list.length ? records : undefined;
}

function readOne(
  reading: Reading,
  path: Path,
  source: unknown,
  names: RevocationNames | undefined,
): RevocationRecord | undefined {
  const parsed = parseRevocationRecord(source);
  if ('problems' in parsed) {
    for (const problem of parsed.problems) report(reading, path, problem);
    return undefined;
  }
  const resolved = names?.resolve(parsed.record);
  if (resolved !== undefined && 'message' in resolved) {
    report(reading, path, resolved);
    return undefined;
  }
  const doubt = resolved?.doubt;
  if (doubt !== undefined) reading.warn(pathOf(path, doubt), worded(doubt));
  return parsed.record;
}

function report(reading: Reading, path: Path, problem: RevocationProblem): void {
  const { key, unknownName } = problem;
  if (key !== undefined && key === unknownName?.name) reading.problemAtKey([...path, key], worded(problem));
  else reading.problem(pathOf(path, problem), worded(problem));
}

function pathOf(path: Path, { key }: RevocationProblem): Path {
  return key === undefined ? path : [...path, key];
}

function worded({ message, unknownName, hint = '' }: RevocationProblem): string {
  const suggested = unknownName === undefined ? '' : suggest(unknownName.name, unknownName.known);
  return message + (suggested === '' ? hint : suggested);
}
