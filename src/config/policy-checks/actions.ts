import { quoteText } from '../path.ts';
import { suggest } from '../suggest.ts';
import type { CheckedPolicy, PolicyCheck } from './policy-check.ts';

/** Services all of whose actions are known here. Actions of other services are not checked. */
const knownServices: ReadonlySet<string> = new Set(['s3', 'sts']);

/** Finds actions that no request needs: misspelt ones, and those that this kind of policy never decides. */
export const checkActions: PolicyCheck = ({ actions }, policy) => {
  for (const { path, text } of actions) {
    if (!isJudged(text, policy) || policy.actions.isMatchedBy(text)) continue;
    const asker = policy.kind === 'trust' ? 'no request asks a trust policy for' : 'no request asks for';
    const what = /[*?]/.test(text)
      ? `an action like ${quoteText(text)}`
      : `the action ${quoteText(text)}${suggest(text, namesFor(policy))}`;
    policy.warn(path, `${asker} ${what}`);
  }
};

function isJudged(text: string, { kind }: CheckedPolicy): boolean {
  if (text === '*' || text === '*:*') return false;
  return kind === 'trust' || knownServices.has(text.slice(0, text.indexOf(':')).toLowerCase());
}

function namesFor({ kind, surroundings }: CheckedPolicy): string[] {
  const { actions, trustActions } = surroundings.vocabulary;
  return (kind === 'trust' ? trustActions : actions).map(({ name }) => name);
}
