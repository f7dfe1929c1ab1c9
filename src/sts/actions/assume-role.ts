import { defineAction, type SignedAction } from '../action.ts';
import { grantRole } from '../grants/role-grant.ts';
import { issueSession } from '../issue-session.ts';
import { verifyMfa } from '../mfa.ts';
import { refused, required, stsParameters } from '../parameters.ts';
import { readSessionTags } from '../session-tags.ts';

/** Issues credentials of a role to a user or a session (AWS STS API Reference, AssumeRole). */
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
    Policy: stsParameters.PolicyOfAnyLength,
    DurationSeconds: stsParameters.DurationSeconds,
    ExternalId: stsParameters.ExternalId,
    Tags: stsParameters.Tags,
    TransitiveTagKeys: stsParameters.TransitiveTagKeys,
    SerialNumber: stsParameters.SerialNumber,
    TokenCode: stsParameters.TokenCode,
    SourceIdentity: stsParameters.SourceIdentity,
    ProvidedContexts: refused(stsParameters.ProvidedContexts),
    MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
  },
  async perform(values, call) {
    const { receivedAtMs } = call.authenticated.raw;
    if (values.SourceIdentity !== undefined) call.trace.add({ sourceIdentity: values.SourceIdentity });
    const tags = readSessionTags(values.Tags, values.TransitiveTagKeys);
    const code = { serialNumber: values.SerialNumber, tokenCode: values.TokenCode };
    const mfaAt = await verifyMfa(code, call);
    const grant = await grantRole(
      {
        roleArn: values.RoleArn,
        sessionName: values.RoleSessionName,
        durationSeconds: values.DurationSeconds,
        externalId: values.ExternalId,
        tags,
        sourceIdentity: values.SourceIdentity,
        hasMfaCode: mfaAt !== undefined,
      },
      call,
    );
    const session = await issueSession(grant, { ...values, tags }, call, receivedAtMs);
    return {
      AssumedRoleUser: grant.assumedRoleUser,
      Credentials: session.credentials,
      PackedPolicySize: session.packedPolicySize,
      SourceIdentity: grant.claims.sourceIdentity,
      ...session.tokenSize,
    };
  },
});
