/*
 * This folder finds what can never match in valid policies: unknown actions and keys, resources that do not fit.
 * In: the policies of a configuration, and the vocabulary of this version. Out: warnings with their places.
 * It never rejects a policy, and never changes how one is evaluated.
 */

import { isMapping } from '../../core/mapping.ts';
import type { PolicyKind } from '../../iam/document.ts';
import type { Path } from '../path.ts';
import type { Reading } from '../reading.ts';
import { checkActions } from './actions.ts';
import { checkConditionKeys, checkVariables } from './context-keys.ts';
import type { PolicyCheck, PolicySurroundings } from './policy-check.ts';
import { checkPrincipals } from './principals.ts';
import { checkActionResources, checkResources } from './resources.ts';
import { statementParts } from './statement-parts.ts';
import { ActionIndex, KeyIndex } from './word-index.ts';

/** Every check. Adding one takes one function and one row. */
const checks: readonly PolicyCheck[] = [
  checkActions,
  checkResources,
  checkActionResources,
  checkConditionKeys,
  checkVariables,
  checkPrincipals,
];

/** A policy of the directory that was read without a problem. */
export interface PolicyPlace {
  /** Where it stands in the configuration. */
  readonly path: Path;
  readonly kind: PolicyKind;
}

/**
 * Warns of everything in policies that can never match. Such policies are valid, on AWS too, but they do not do what their
 * author meant, and no error would ever show it.
 */
export function checkPolicies(
  reading: Reading,
  places: readonly PolicyPlace[],
  surroundings: PolicySurroundings,
): void {
  const { vocabulary } = surroundings;
  const actions = new ActionIndex(vocabulary.actions);
  const trustActions = new ActionIndex(vocabulary.trustActions);
  const keys = new KeyIndex(vocabulary.keys);
  for (const { path, kind } of places) {
    const source = reading.valueAt(path);
    const policy = {
      kind,
      hasVariables: isMapping(source) && source['Version'] === '2012-10-17',
      surroundings,
      actions: kind === 'trust' ? trustActions : actions,
      keys,
      warn: (inner: Path, message: string) => reading.warn([...path, ...inner], message),
      warnAtKey: (inner: Path, message: string) => reading.warnAtKey([...path, ...inner], message),
    };
    for (const statement of statementParts(source)) {
      for (const check of checks) check(statement, policy);
    }
  }
}
