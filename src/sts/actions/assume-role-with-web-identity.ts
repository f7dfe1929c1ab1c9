import { defineUnsignedAction, type UnsignedAction } from '../action.ts';
import { stsError } from '../errors.ts';
import { federate } from '../federate.ts';
import { providerArn } from '../federated-keys.ts';
import { issueSession } from '../issue-session.ts';
import { required, stsParameters } from '../parameters.ts';
import { defaultDurationSeconds, federatedQuestion } from '../trust-decision.ts';
import { grantRoleToFederated } from '../trust-policy.ts';

/**
 * Temporary credentials of a role for the holder of an identity provider's token (AWS STS API Reference,
 * AssumeRoleWithWebIdentity). The session may outlive the token.
 */
export const assumeRoleWithWebIdentity: UnsignedAction = defineUnsignedAction({
  name: 'AssumeRoleWithWebIdentity',
  parameters: {
    RoleArn: required(stsParameters.RoleArn),
    RoleSessionName: required(stsParameters.RoleSessionName),
    WebIdentityToken: required(stsParameters.WebIdentityToken),
    ProviderId: stsParameters.ProviderId,
    PolicyArns: stsParameters.PolicyArns,
    Policy: stsParameters.Policy,
    DurationSeconds: stsParameters.DurationSeconds,
  },
  async perform(values, call) {
    const { raw, dependencies } = call;
    if (values.ProviderId !== undefined) {
      throw stsError(
        'InvalidIdentityToken',
        'OAuth 2.0 access tokens, which ProviderId asks for, are not supported: send an OpenID Connect ID token',
      );
    }
    const identity = await federate(values.WebIdentityToken, call);
    const { account } = dependencies;
    const { RoleSessionName: sessionName, DurationSeconds: durationSeconds } = values;
    const requested = { sessionName, durationSeconds: durationSeconds ?? defaultDurationSeconds };
    const { subject, audience } = identity;
    const grant = grantRoleToFederated(
      { roleArn: values.RoleArn, sessionName, durationSeconds, tags: [], sourceIdentity: undefined },
      {
        question: federatedQuestion(requested, identity, raw, account),
        federation: { provider: providerArn(identity.issuer, account), subject, audience },
      },
      call,
    );
    const { credentials, packedPolicySize } = await issueSession(
      grant,
      { ...values, tags: [] },
      call,
      raw.receivedAtMs,
    );
    return {
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audience,
      Provider: identity.issuer,
      AssumedRoleUser: grant.assumedRoleUser,
      Credentials: credentials,
      PackedPolicySize: packedPolicySize,
      SourceIdentity: grant.claims.sourceIdentity,
    };
  },
});
