import { compileGlob, parseGlob, unlimitedSteps } from '../../core/glob.ts';
import { quoteText } from '../path.ts';
import type { KnownAction } from '../policy-vocabulary.ts';
import { suggest } from '../suggest.ts';
import type { CheckedPolicy, PolicyCheck } from './policy-check.ts';

/** Services all of whose actions are known here; the actions of others are their own business. */
const knownServices: ReadonlySet<string> = new Set(['s3', 'sts']);

/** Finds actions that no request asks for: misspelt ones, and those that this kind of policy is never asked about. */
export const checkActions: PolicyCheck = ({ actions }, policy) => {
  for (const { path, text } of actions) {
    const known = actionsOf(policy);
    if (!isJudged(text, policy) || known.some(({ name }) => isMatch(text, name))) continue;
    const asker = policy.kind === 'trust' ? 'no request asks a trust policy for' : 'no request asks for';
    const names = known.map(({ name }) => name);
    const what = /[*?]/.test(text)
      ? `an action like ${quoteText(text)}`
      : `the action ${quoteText(text)}${suggest(text, names)}`;
    policy.warn(path, `${asker} ${what}`);
  }
};

function isJudged(text: string, { kind }: CheckedPolicy): boolean {
  if (text === '*' || text === '*:*') return false;
  return kind === 'trust' || knownServices.has(text.slice(0, text.indexOf(':')).toLowerCase());
}

/** The actions that requests ask this kind of policy for. */
export function actionsOf({ kind, surroundings }: CheckedPolicy): readonly KnownAction[] {
  const { actions, trustActions } = surroundings.vocabulary;
  return kind === 'trust' ? trustActions : actions;
}

function isMatch(pattern: string, action: string): boolean {
  const matches = compileGlob(parseGlob(pattern.toLowerCase()));
  return matches(action.toLowerCase(), unlimitedSteps);
}
