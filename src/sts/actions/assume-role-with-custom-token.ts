import { canonicalProviderArn } from '../../directory/provider-role.ts';
import type { Role } from '../../directory/role.ts';
import { defineUnsignedAction, type UnsignedAction, type UnsignedCall } from '../action.ts';
import { stsError } from '../errors.ts';
import { federate } from '../federate.ts';
import { denied, grantRoleToWebhookUser } from '../grants/provider-grant.ts';
import { fullRoleArn } from '../grants/trust-question.ts';
import { issueSession } from '../issue-session.ts';
import { required, stsParameters } from '../parameters.ts';

const name = 'AssumeRoleWithCustomToken';

/**
 * Issues credentials of a webhook's own role to the holder of a token that the webhook accepts (MinIO,
 * AssumeRoleWithCustomToken). Only the webhook of that role is asked.
 */
export const assumeRoleWithCustomToken: UnsignedAction = defineUnsignedAction({
  name,
  parameters: {
    Token: required(stsParameters.Token),
    RoleArn: required(stsParameters.RoleArn),
    DurationSeconds: stsParameters.DurationSeconds,
  },
  async perform(values, call) {
    const role = findRole(values.RoleArn, call);
    if (role !== undefined) call.trace.add({ roleArn: role.arn });
    if (role?.provider?.mode !== 'custom-token') throw denied(name, 'the role is not of a webhook');
    const proof = { provider: role.provider.name, token: values.Token };
    const identity = await federate('customToken', proof, call);
    const grant = grantRoleToWebhookUser(role, identity, values.DurationSeconds);
    const passed = { Policy: undefined, PolicyArns: [], tags: [] };
    const { credentials } = await issueSession(grant, passed, call, call.raw.receivedAtMs);
    return { Credentials: credentials, AssumedUser: `custom:${identity.user}` };
  },
});

function findRole(text: string, { dependencies }: UnsignedCall): Role | undefined {
  const { authentication, account } = dependencies;
  const roleArn = canonicalProviderArn(text) ?? fullRoleArn(text, account.id);
  if (roleArn === undefined) throw stsError('ValidationError', `${text.slice(0, 256)} is invalid`);
  return authentication.directory.role(roleArn);
}
