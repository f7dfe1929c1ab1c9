import type { FederatedIdentity } from '../identity/federated-identity.ts';
import type { UnsignedCall } from './action.ts';
import { federate } from './federate.ts';
import { claimKeys } from './federated-keys.ts';
import { denied, grantProviderRole, type ProviderGrant } from './grants/provider-grant.ts';
import { grantRoleToFederated, type TrustGrant } from './grants/role-grant.ts';
import { defaultDurationSeconds, federatedQuestion } from './grants/trust-question.ts';
import { arnsOf, type IssuedSession, issueSession } from './issue-session.ts';
import { type ParameterRule, type ParameterValues, required, stsParameters } from './parameters.ts';
import { sessionNameOf } from './session-name.ts';
import { requirePolicyRoom } from './session-policies.ts';
import { type WebIdentityMode, webIdentityMode } from './web-identity-mode.ts';

/** The action, for its own protocol and for the container credentials endpoint. */
export const tokenHolderAction = 'AssumeRoleWithWebIdentity';

/** The rules of {@link tokenHolderParameters}. */
type TokenHolderParameters = Pick<
  typeof stsParameters,
  | 'RoleArn'
  | 'RoleSessionName'
  | 'WebIdentityAccessToken'
  | 'PolicyArns'
  | 'Policy'
  | 'DurationSeconds'
  | 'MinimumSessionTokenSize'
> & { readonly WebIdentityToken: ParameterRule<string> };

/** The parameters that say who wants which session. */
export const tokenHolderParameters: TokenHolderParameters = {
  RoleArn: stsParameters.RoleArn,
  RoleSessionName: stsParameters.RoleSessionName,
  WebIdentityToken: required(stsParameters.WebIdentityToken),
  WebIdentityAccessToken: stsParameters.WebIdentityAccessToken,
  PolicyArns: stsParameters.PolicyArns,
  Policy: stsParameters.Policy,
  DurationSeconds: stsParameters.DurationSeconds,
  MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
};

type Requested = ParameterValues<TokenHolderParameters>;

/** A session of the holder of an identity provider's token. */
export interface TokenHolderSession {
  readonly identity: FederatedIdentity;
  readonly grant: TrustGrant | ProviderGrant;
  readonly session: IssuedSession;
}

/**
 * Issues a session of a role to the holder of an identity provider's token, or of the provider's own role. Without a name, the
 * session has that of the token's subject. The session may outlive the token.
 * @throws ServiceError of the STS table
 */
export async function issueToTokenHolder(values: Requested, call: UnsignedCall): Promise<TokenHolderSession> {
  requirePolicyRoom(values.Policy, arnsOf(values.PolicyArns));
  const mode = webIdentityMode(values.RoleArn, call.dependencies);
  const ownRole = mode.kind === 'provider' ? mode.role : undefined;
  // Another one than the call names, or names none.
  if (ownRole !== undefined) call.trace.add({ roleArn: ownRole.arn });
  const provider = ownRole?.provider?.name;
  const proof = { token: values.WebIdentityToken, accessToken: values.WebIdentityAccessToken, provider };
  const identity = await federate('webIdentity', proof, call);
  const sessionName = values.RoleSessionName ?? sessionNameOf(identity.subject);
  call.trace.add({ sessionName });
  const grant = await grantTo(identity, mode, { ...values, RoleSessionName: sessionName }, call);
  const session = await issueSession(grant, { ...values, tags: identity.tags }, call, call.raw.receivedAtMs);
  return { identity, grant, session };
}

async function grantTo(
  identity: FederatedIdentity,
  mode: WebIdentityMode,
  {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: durationSeconds,
  }: Requested & { readonly RoleSessionName: string },
  call: UnsignedCall,
): Promise<TrustGrant | ProviderGrant> {
  if (mode.kind === 'provider') {
    if (mode.role === undefined) throw denied(tokenHolderAction, 'no provider has a role of this ARN');
    return grantProviderRole(mode.role, { identity, sessionName, durationSeconds }, call);
  }
  // INVARIANT: required in this mode.
  if (roleArn === undefined) throw new Error('a role is asked for without an ARN');
  // A trust policy names the issuer alone. Without this, one that does not look at the audience would also admit the users of a
  // provider that was added for its own role.
  if (identity.hasOwnRole) throw denied(tokenHolderAction, 'the provider of the token has a role of its own');
  const { account } = call.dependencies;
  const { providerArn, subject, audience, tags, sourceIdentity } = identity;
  const user = { kind: 'web-identity', providerArn, conditionKeys: claimKeys(identity) } as const;
  const session = { sessionName, tags, sourceIdentity };
  const requested = { ...session, durationSeconds: durationSeconds ?? defaultDurationSeconds };
  return grantRoleToFederated(
    { ...session, roleArn, durationSeconds },
    {
      question: federatedQuestion(requested, user, call.raw, account),
      federation: { provider: providerArn, subject, audience },
    },
    call,
  );
}
