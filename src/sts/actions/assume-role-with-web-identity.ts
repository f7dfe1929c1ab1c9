import { defineUnsignedAction, type UnsignedAction } from '../action.ts';
import { stsError } from '../errors.ts';
import { federate } from '../federate.ts';
import { issue } from '../issue.ts';
import { required, stsParameters } from '../parameters.ts';
import { checkSessionPolicies } from '../session-policies.ts';
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
    const { raw, dependencies, trace } = call;
    const { authentication, keyRing, randomness, account } = dependencies;
    if (values.ProviderId !== undefined) {
      throw stsError(
        'InvalidIdentityToken',
        'OAuth 2.0 access tokens, which ProviderId asks for, are not supported: send an OpenID Connect ID token',
      );
    }
    const identity = await federate(values.WebIdentityToken, call);
    const grant = grantRoleToFederated(
      {
        roleArn: values.RoleArn,
        sessionName: values.RoleSessionName,
        durationSeconds: values.DurationSeconds,
      },
      identity,
      call,
    );
    const policyArns = values.PolicyArns.flatMap((member) => member.get('arn') ?? []);
    const policies = checkSessionPolicies(values.Policy, policyArns, authentication.directory);
    const nowMs = raw.receivedAtMs;
    const session = await issue(grant, policies, { keyRing, randomness, accountId: account.id, nowMs });
    trace.add({ issuedCredentials: true });
    return {
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audience,
      Provider: identity.issuer,
      AssumedRoleUser: { Arn: session.assumedRoleArn, AssumedRoleId: session.assumedRoleId },
      Credentials: {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey.reveal(),
        SessionToken: session.sessionToken,
        Expiration: session.expiration,
      },
      PackedPolicySize: policies.packedPolicySize,
    };
  },
});
