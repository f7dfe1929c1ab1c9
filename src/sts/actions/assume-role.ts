import { defineAction, type SignedAction } from '../action.ts';
import { issue } from '../issue.ts';
import { refused, required, stsParameters } from '../parameters.ts';
import { checkSessionPolicies } from '../session-policies.ts';
import { grantRole } from '../trust-policy.ts';

/**
 * Temporary credentials of a role for a user or for a session of another role (AWS STS API Reference, AssumeRole).
 */
export const assumeRole: SignedAction = defineAction({
  name: 'AssumeRole',
  callers: {
    user: 'admitted',
    root: { refusal: 'Roles may not be assumed by root accounts.' },
    'user-session': 'admitted',
    'root-session': { refusal: 'Roles may not be assumed by root accounts.' },
    'federated-user': { refusal: 'Cannot call AssumeRole with session credentials' },
    'role-session': 'admitted',
  },
  parameters: {
    RoleArn: required(stsParameters.RoleArn),
    RoleSessionName: required(stsParameters.RoleSessionName),
    PolicyArns: stsParameters.PolicyArns,
    Policy: stsParameters.Policy,
    DurationSeconds: stsParameters.DurationSeconds,
    ExternalId: stsParameters.ExternalId,
    Tags: refused(stsParameters.Tags),
    TransitiveTagKeys: refused(stsParameters.TransitiveTagKeys),
    SerialNumber: refused(stsParameters.SerialNumber),
    TokenCode: refused(stsParameters.TokenCode),
    SourceIdentity: refused(stsParameters.SourceIdentity),
    ProvidedContexts: refused(stsParameters.ProvidedContexts),
  },
  async perform(values, call) {
    const { authenticated, dependencies, trace } = call;
    const { authentication, keyRing, randomness, account } = dependencies;
    const grant = grantRole(
      {
        roleArn: values.RoleArn,
        sessionName: values.RoleSessionName,
        durationSeconds: values.DurationSeconds,
        externalId: values.ExternalId,
      },
      call,
    );
    const policyArns = values.PolicyArns.flatMap((member) => member.get('arn') ?? []);
    const policies = checkSessionPolicies(values.Policy, policyArns, authentication.directory);
    const nowMs = authenticated.raw.receivedAtMs;
    const session = await issue(grant, policies, { keyRing, randomness, accountId: account.id, nowMs });
    trace.add({ issuedCredentials: true });
    return {
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
