import { defineAction, type SignedAction } from '../action.ts';
import { grantFederatedUser, requireOwner } from '../grants/owner-grant.ts';
import { issueSession } from '../issue-session.ts';
import { required, stsParameters } from '../parameters.ts';
import { readSessionTags } from '../session-tags.ts';

const refusal = 'Cannot call GetFederationToken with session credentials';

/** Issues credentials for a federated user of the owner of a long-term key (AWS STS API Reference, GetFederationToken). */
export const getFederationToken: SignedAction = defineAction({
  name: 'GetFederationToken',
  callers: {
    user: 'admitted',
    root: 'admitted',
    'user-session': { refusal },
    'root-session': { refusal },
    'federated-user': { refusal },
    'role-session': { refusal },
  },
  parameters: {
    Name: required(stsParameters.Name),
    Policy: stsParameters.Policy,
    PolicyArns: stsParameters.PolicyArns,
    DurationSeconds: stsParameters.OwnDurationSeconds,
    Tags: stsParameters.Tags,
    MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
  },
  async perform(values, call) {
    const { authenticated } = call;
    const session = {
      name: values.Name,
      durationSeconds: values.DurationSeconds,
      tags: readSessionTags(values.Tags),
    };
    const { grant, user } = await grantFederatedUser(requireOwner(authenticated.caller), session, call);
    const { receivedAtMs } = authenticated.raw;
    const issued = await issueSession(grant, { ...values, tags: session.tags }, call, receivedAtMs);
    return {
      Credentials: issued.credentials,
      FederatedUser: { Arn: user.Arn, FederatedUserId: user.FederatedUserId },
      PackedPolicySize: issued.packedPolicySize ?? 0,
      ...issued.tokenSize,
    };
  },
});
