import { defineAction, type SignedAction } from '../action.ts';
import { issueSession } from '../issue-session.ts';
import { grantOwnSession, requireOwner } from '../own-session.ts';
import { refused, stsParameters } from '../parameters.ts';

const refusal = 'Cannot call GetSessionToken with session credentials';

/** Temporary credentials for the owner of a long-term key (AWS STS API Reference, GetSessionToken). */
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
    SerialNumber: refused(stsParameters.SerialNumber),
    TokenCode: refused(stsParameters.TokenCode),
  },
  async perform(values, call) {
    const { authenticated } = call;
    const grant = grantOwnSession(requireOwner(authenticated.caller), {
      durationSeconds: values.DurationSeconds,
      mfaAuthenticatedAt: undefined,
    });
    const { receivedAtMs } = authenticated.raw;
    const nothing = { Policy: undefined, PolicyArns: [], tags: [] };
    const { credentials } = await issueSession(grant, nothing, call, receivedAtMs);
    return { Credentials: credentials };
  },
});
