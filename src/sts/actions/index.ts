import type { StsAction } from '../action.ts';
import { assumeRole } from './assume-role.ts';
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts';
import { getCallerIdentity } from './get-caller-identity.ts';

/** Every action that can be performed, by its exact name. */
export const stsActions: ReadonlyMap<string, StsAction> = new Map(
  [assumeRole, assumeRoleWithWebIdentity, getCallerIdentity].map((action): [string, StsAction] => [
    action.name,
    action,
  ]),
);

/** Actions of the contract that this version answers with a clear refusal. */
export const plannedActions: ReadonlySet<string> = new Set([
  'AssumeRoleWithCustomToken',
  'AssumeRoleWithSAML',
  'DecodeAuthorizationMessage',
  'GetAccessKeyInfo',
  'GetFederationToken',
  'GetSessionToken',
]);
