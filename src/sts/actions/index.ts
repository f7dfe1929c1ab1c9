/*
 * This folder holds the STS actions, one file and one table row each.
 * In: the parameters of a call, and the authenticated caller of a signed action. Out: the result to render.
 * An action never creates credentials itself: it obtains a grant, and `issue` creates them.
 * An action without a row does not exist.
 */

import type { StsAction } from '../action.ts';
import { assumeRole } from './assume-role.ts';
import { assumeRoleWithCustomToken } from './assume-role-with-custom-token.ts';
import { assumeRoleWithSaml } from './assume-role-with-saml.ts';
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts';
import { decodeAuthorizationMessage } from './decode-authorization-message.ts';
import { getAccessKeyInfo } from './get-access-key-info.ts';
import { getCallerIdentity } from './get-caller-identity.ts';
import { getFederationToken } from './get-federation-token.ts';
import { getScopedCredentials } from './get-scoped-credentials.ts';
import { getSessionToken } from './get-session-token.ts';

export { unsupportedActions } from './unsupported.ts';

/** Every action that can be performed, by its exact name. */
export const stsActions: ReadonlyMap<string, StsAction> = new Map(
  [
    assumeRole,
    assumeRoleWithCustomToken,
    assumeRoleWithSaml,
    assumeRoleWithWebIdentity,
    decodeAuthorizationMessage,
    getAccessKeyInfo,
    getCallerIdentity,
    getFederationToken,
    getScopedCredentials,
    getSessionToken,
  ].map((action): [string, StsAction] => [action.name, action]),
);
