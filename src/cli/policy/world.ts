import { PolicyGatherer } from '../../authorize/gather-policies.ts';
import type { LoadResult } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { buildDirectory, type Directory } from '../../directory/directory.ts';
import { iamArn } from '../../directory/managed-policies.ts';
import { providerRoleArn } from '../../directory/provider-role.ts';
import type { Role } from '../../directory/role.ts';
import type { User } from '../../directory/user.ts';

/** Everything that decisions depend on, built from one configuration as the running sidecar builds it. */
export interface World {
  readonly settings: Settings;
  readonly directory: Directory;
  readonly policies: PolicyGatherer;
  readonly users: readonly User[];
  /** Those of the directory, then the generated ones of identity providers. */
  readonly roles: readonly Role[];
  /** Names of managed policies. */
  readonly policyNames: readonly string[];
}

/** Builds the directory of a configuration that was loaded. */
export function buildWorld({ settings, directory: records }: Extract<LoadResult, { ok: true }>): World {
  const directory = buildDirectory(records);
  const { account, users, roles, policies, providerRoles = [] } = records;
  const roleArns = [
    ...roles.map(({ path, name }) => iamArn(account, `role${path}${name}`)),
    ...providerRoles.map((role) => providerRoleArn(role)),
  ];
  return {
    settings,
    directory,
    policies: new PolicyGatherer(directory),
    users: users.flatMap(
      ({ path, name }) => directory.userByArn(iamArn(account, `user${path}${name}`)) ?? [],
    ),
    roles: roleArns.flatMap((arn) => directory.role(arn) ?? []),
    policyNames: policies.map(({ name }) => name),
  };
}
