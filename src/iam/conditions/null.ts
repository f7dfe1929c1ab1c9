import { foldCase } from '../../core/fold-case.ts';
import { quoted } from '../problem.ts';
import type { PresenceOperator } from './operator.ts';

/**
 * `Null` (IAM JSON policy elements: Condition operators, "Condition operator to check existence of condition keys"):
 * `true` means that the key is absent, `false` that it is present. An empty string is present, an empty list is absent.
 */
export const nullOperator: PresenceOperator = {
  name: 'Null',
  compilePresence: ({ values }, report) => {
    const wanted = new Set(values.map(foldCase));
    for (const value of wanted) {
      if (value !== 'true' && value !== 'false') report(`${quoted(value)} is not true or false`);
    }
    return (isPresent) => wanted.has(isPresent ? 'false' : 'true');
  },
};
