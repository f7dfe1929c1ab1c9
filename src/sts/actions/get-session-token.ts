import { defineAction, type SignedAction } from '../action.ts';
import { grantOwnSession, requireOwner } from '../grants/owner-grant.ts';
import { issueSession } from '../issue-session.ts';
import { verifyMfa } from '../mfa.ts';
import { stsParameters } from '../parameters.ts';

const refusal = 'Cannot call GetSessionToken with session credentials';

/** Issues temporary credentials to the owner of a long-term key (AWS STS API Reference, GetSessionToken). */
export const getSessionToken: SignedAction = defineAction({
  name: 'GetSessionToken',
  callers: {
    user: 'admitted',
    root: 'admitted',
    'user-session': { refusal },
    'root-session': { refusal },
    'federated-user': { refusal },
    'role-session': { refusal },
  },
  parameters: {
    DurationSeconds: stsParameters.OwnDurationSeconds,
    SerialNumber: stsParameters.SerialNumber,
    TokenCode: stsParameters.TokenCode,
    MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
  },
  async perform(values, call) {
    const { authenticated } = call;
    const { receivedAtMs } = authenticated.raw;
    const owner = requireOwner(authenticated.caller);
    const code = { serialNumber: values.SerialNumber, tokenCode: values.TokenCode };
    const grant = grantOwnSession(owner, {
      durationSeconds: values.DurationSeconds,
      mfaAuthenticatedAt: await verifyMfa(code, call),
    });
    const { MinimumSessionTokenSize } = values;
    const passed = { Policy: undefined, PolicyArns: [], tags: [], MinimumSessionTokenSize };
    const { credentials, tokenSize } = await issueSession(grant, passed, call, receivedAtMs);
    return { Credentials: credentials, ...tokenSize };
  },
});
