import type { FederatedIdentity } from '../../identity/federated-identity.ts';
import { defineUnsignedAction, type UnsignedAction, type UnsignedCall } from '../action.ts';
import { stsError } from '../errors.ts';
import { federate } from '../federate.ts';
import { claimKeys } from '../federated-keys.ts';
import { denied, grantProviderRole, type ProviderGrant } from '../grants/provider-grant.ts';
import { grantRoleToFederated, type TrustGrant } from '../grants/role-grant.ts';
import { defaultDurationSeconds, federatedQuestion } from '../grants/trust-question.ts';
import { arnsOf, issueSession } from '../issue-session.ts';
import { required, stsParameters } from '../parameters.ts';
import { sessionNameOf } from '../session-name.ts';
import { requirePolicyRoom } from '../session-policies.ts';
import { type WebIdentityMode, webIdentityMode } from '../web-identity-mode.ts';

const name = 'AssumeRoleWithWebIdentity';

const parameters = {
  RoleArn: stsParameters.RoleArn,
  RoleSessionName: stsParameters.RoleSessionName,
  WebIdentityToken: required(stsParameters.WebIdentityToken),
  WebIdentityAccessToken: stsParameters.WebIdentityAccessToken,
  ProviderId: stsParameters.ProviderId,
  PolicyArns: stsParameters.PolicyArns,
  Policy: stsParameters.Policy,
  DurationSeconds: stsParameters.DurationSeconds,
  MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
};

const trustPolicyParameters = {
  ...parameters,
  RoleArn: required(stsParameters.RoleArn),
  RoleSessionName: required(stsParameters.RoleSessionName),
};

/**
 * Issues credentials of a role to the holder of an identity provider's token (AWS STS API Reference,
 * AssumeRoleWithWebIdentity), or of the provider's own role (MinIO, the same action). The session may outlive the token.
 */
export const assumeRoleWithWebIdentity: UnsignedAction = defineUnsignedAction({
  name,
  parameters: (sent, dependencies): typeof parameters =>
    webIdentityMode(sent.get('RoleArn'), dependencies).kind === 'provider'
      ? parameters
      : trustPolicyParameters,
  async perform(values, call) {
    if (values.ProviderId !== undefined) {
      throw stsError(
        'InvalidIdentityToken',
        'OAuth 2.0 access tokens, which ProviderId asks for, are not supported: send an OpenID Connect ID token',
      );
    }
    requirePolicyRoom(values.Policy, arnsOf(values.PolicyArns));
    const mode = webIdentityMode(values.RoleArn, call.dependencies);
    const ownRole = mode.kind === 'provider' ? mode.role : undefined;
    // Another one than the call names, or names none.
    if (ownRole !== undefined) call.trace.add({ roleArn: ownRole.arn });
    const provider = ownRole?.provider?.name;
    const proof = { token: values.WebIdentityToken, accessToken: values.WebIdentityAccessToken, provider };
    const identity = await federate('webIdentity', proof, call);
    call.trace.add({ sessionName: values.RoleSessionName ?? sessionNameOf(identity.subject) });
    const grant = await grantTo(identity, mode, values, call);
    const { sourceIdentity, tags } = identity;
    const session = await issueSession(grant, { ...values, tags }, call, call.raw.receivedAtMs);
    return {
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audience,
      Provider: identity.issuer,
      AssumedRoleUser: grant.assumedRoleUser,
      Credentials: session.credentials,
      PackedPolicySize: session.packedPolicySize,
      SourceIdentity: sourceIdentity,
      ...session.tokenSize,
    };
  },
});

interface Requested {
  readonly RoleArn: string | undefined;
  readonly RoleSessionName: string | undefined;
  readonly DurationSeconds: number | undefined;
}

async function grantTo(
  identity: FederatedIdentity,
  mode: WebIdentityMode,
  { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: durationSeconds }: Requested,
  call: UnsignedCall,
): Promise<TrustGrant | ProviderGrant> {
  if (mode.kind === 'provider') {
    if (mode.role === undefined) throw denied(name, 'no provider has a role of this ARN');
    return grantProviderRole(mode.role, { identity, sessionName, durationSeconds }, call);
  }
  // INVARIANT: both parameters are required in this mode.
  if (roleArn === undefined || sessionName === undefined)
    throw new Error('a role is asked for without a name');
  // A trust policy names the issuer alone. Without this, one that does not look at the audience would also admit the users of a
  // provider that was added for its own role.
  if (identity.hasOwnRole) throw denied(name, 'the provider of the token has a role of its own');
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
