import { readFile } from 'node:fs/promises';
import { rowsAfter } from '../page-table.ts';

/** The callers of the table, in the order of its columns. */
export const principals = ['analyst', 'engineer', 'engineer with MFA', 'auditor'] as const;
export type PrincipalName = (typeof principals)[number];

/** One cell of the table: the outcome that one caller's operation must have. */
export interface Cell {
  readonly operation: string;
  readonly principal: PrincipalName;
  /** ✓, ✗ or ◐. */
  readonly expected: string;
}

/** What `docs/data-lake.md` states. */
export interface LakePage {
  /** The `directory` section of a configuration. */
  readonly directory: string;
  readonly cells: readonly Cell[];
  /** What a store answers instead of doing what the sidecar allowed, by `operation on store`. */
  readonly storeAnswers: ReadonlyMap<string, string>;
}

/** Reads the page; throws where it is not built as expected, so that no part of it goes unread. */
export async function readLakePage(): Promise<LakePage> {
  const text = await readFile(new URL('../../../docs/data-lake.md', import.meta.url), 'utf8');
  const [, directory] = /\n```yaml\n(.*?)\n```\n/s.exec(text) ?? [];
  if (directory === undefined) throw new Error('the page has no policies');
  const rows = rowsAfter(text, '| operation | analyst | engineer | engineer with MFA | auditor | why |');
  const cells = rows.flatMap(([operation = '', ...marks]) =>
    principals.map((principal, index) => ({ operation, principal, expected: marks[index] ?? '' })),
  );
  const odd = cells.filter(({ expected }) => !/^[✓✗◐]$/u.test(expected));
  if (odd.length > 0) throw new Error(`the page has cells that say nothing: ${JSON.stringify(odd)}`);
  const answers = rowsAfter(text, '| operation | store | its answer | that is |');
  const storeAnswers = new Map(
    answers.map(([operation, store, answer = '']) => [`${operation} on ${store}`, answer] as const),
  );
  return { directory, cells, storeAnswers };
}
