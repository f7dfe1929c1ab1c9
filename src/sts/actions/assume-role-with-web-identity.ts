import { defineUnsignedAction, type UnsignedAction } from '../action.ts';
import { stsError } from '../errors.ts';
import { required, stsParameters } from '../parameters.ts';
import { issueToTokenHolder, tokenHolderAction, tokenHolderParameters } from '../token-holder.ts';
import { webIdentityMode } from '../web-identity-mode.ts';

const parameters = { ...tokenHolderParameters, ProviderId: stsParameters.ProviderId };

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
  name: tokenHolderAction,
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
    const { identity, grant, session } = await issueToTokenHolder(values, call);
    return {
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audience,
      Provider: identity.issuer,
      AssumedRoleUser: grant.assumedRoleUser,
      Credentials: session.credentials,
      PackedPolicySize: session.packedPolicySize,
      SourceIdentity: identity.sourceIdentity,
      ...session.tokenSize,
    };
  },
});
