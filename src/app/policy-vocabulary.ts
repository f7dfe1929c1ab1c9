import { globalKeyTable } from '../authorize/global-key-table.ts';
import type { KnownKey, PolicyVocabulary } from '../config/policy-vocabulary.ts';
import { identityKinds } from '../identity/kinds.ts';
import { s3Keys } from '../s3/condition-key-table.ts';
import { listS3Actions } from '../s3/known-actions.ts';
import { stsActions } from '../sts/actions/index.ts';
import { absentStsKeys, roleKeys, stsKeys } from '../sts/condition-key-table.ts';
import {
  assumeRole,
  assumeRoleWithSaml,
  assumeRoleWithWebIdentity,
  setSourceIdentity,
  tagSession,
} from '../sts/grants/trust-question.ts';

const names = (list: Iterable<string>): { readonly name: string }[] => [...list].map((name) => ({ name }));

/** The actions and condition keys that have an effect in policies, from the same tables that decisions use. */
export const policyVocabulary: PolicyVocabulary = {
  actions: [
    ...listS3Actions(),
    // Some of these are never checked against a policy; neither are they on AWS.
    ...names([...stsActions.keys()].map((action) => `sts:${action}`)),
    ...names([tagSession, setSourceIdentity]),
  ],
  trustActions: names([
    assumeRole,
    assumeRoleWithWebIdentity,
    assumeRoleWithSaml,
    tagSession,
    setSourceIdentity,
  ]),
  keys: [
    ...globalKeyTable.map(({ key, never }): KnownKey => ({ name: key, never })),
    ...s3Keys.map(
      ({ key, source }): KnownKey => ({
        name: key,
        never: source.from === 'never' ? source.reason : undefined,
      }),
    ),
    ...names(stsKeys),
    ...[...absentStsKeys].map(([name, never]): KnownKey => ({ name, never })),
    ...names(roleKeys),
    ...names(identityKinds.flatMap(({ conditionKeys = [] }) => conditionKeys)),
  ],
};
