import { foldCase } from '../../core/fold-case.ts';
import { isMapping } from '../../core/mapping.ts';
import { isIllFormed, quoted, type Report, type ReporterAt } from '../problem.ts';
import { type Condition, compileCondition } from './condition.ts';

/**
 * Reads a Condition element (IAM JSON policy elements: Condition). Compiles every condition once, so that malformed
 * operators, keys and values are reported at load.
 */
export function parseConditions(source: unknown, hasVariables: boolean, at: ReporterAt): Condition[] {
  if (source === undefined) return [];
  if (!isMapping(source)) {
    at('Condition')('must be an object');
    return [];
  }
  const conditions: Condition[] = [];
  const report = at('Condition');
  checkDistinct(Object.keys(source), report);
  for (const [operator, block] of Object.entries(source)) {
    const reportBlock = at(`Condition.${operator.slice(0, 64)}`);
    if (!isMapping(block) || Object.keys(block).length === 0) {
      reportBlock('must be an object with at least one condition key');
      continue;
    }
    checkDistinct(Object.keys(block), reportBlock);
    for (const [key, value] of Object.entries(block)) {
      const folded = foldCase(key);
      // Copies of lists take no more memory than they need, and most keys need no second text: policies are kept in thousands.
      const values = readScalars(value, reportBlock).slice();
      const source = { operator, name: folded === key ? folded : key, key: folded, values };
      if (!/^[^\s:$]+:[^${}]+$/.test(key))
        reportBlock(`${quoted(key)} is not a condition key: expected prefix:name`);
      const holds = compileCondition(source, hasVariables, reportBlock);
      conditions.push({ operator, name: source.name, key: folded, values, holds });
    }
  }
  return conditions.slice();
}

/** Reports names that differ only in case: they mean the same, and JSON does not detect the repetition. */
function checkDistinct(names: readonly string[], report: Report): void {
  const seen = new Set<string>();
  for (const name of names) {
    const folded = foldCase(name);
    if (seen.has(folded)) report(`repeats ${quoted(name)}`);
    seen.add(folded);
  }
}

function readScalars(value: unknown, report: Report): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) report('must not be an empty list');
  return list.flatMap((item) => {
    const isScalar = typeof item === 'string' || typeof item === 'boolean' || Number.isFinite(item);
    if (!isScalar) report('values must be strings, numbers or booleans');
    else if (isIllFormed(String(item))) report('holds a lone surrogate');
    else return [String(item)];
    return [];
  });
}
