import { claimsOf } from '../../authenticate/caller.ts';
import { defineAction, type SignedAction } from '../action.ts';
import { grantScope } from '../grants/scope-grant.ts';
import { issueScopedSession } from '../issue-session.ts';
import { stsParameters } from '../parameters.ts';
import { principalFacts } from '../session-facts.ts';

const refusal =
  'Cannot call GetScopedCredentials with long-term credentials: call GetSessionToken first, and use its credentials';

/**
 * Issues credentials of the calling session itself, with fewer permissions, a shorter life, or both (AWS STS API Reference,
 * GetScopedCredentials, November 2026). The description is for the log alone.
 */
export const getScopedCredentials: SignedAction = defineAction({
  name: 'GetScopedCredentials',
  callers: {
    user: { refusal },
    root: { refusal },
    'user-session': 'admitted',
    'root-session': 'admitted',
    'federated-user': 'admitted',
    'role-session': 'admitted',
  },
  parameters: {
    Policy: stsParameters.Policy,
    DurationSeconds: stsParameters.ScopedDurationSeconds,
    MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
    ScopedSessionDescription: stsParameters.ScopedSessionDescription,
  },
  async perform(values, call) {
    const { caller, raw } = call.authenticated;
    call.trace.add({ scopedSessionDescription: values.ScopedSessionDescription });
    const principal = claimsOf(caller)?.principal;
    if (principal !== undefined) call.trace.add(principalFacts(principal));
    const narrowing = { policy: values.Policy, durationSeconds: values.DurationSeconds };
    const grant = await grantScope(narrowing, call);
    const session = await issueScopedSession(grant, values, call, raw.receivedAtMs);
    const { scopeDown = [], sourceIdentity } = grant.claims;
    return {
      Credentials: session.credentials,
      SessionInfo: { ScopedSessionId: caller.userId, Arn: caller.arn },
      ...session.tokenSize,
      ScopedPoliciesCount: scopeDown.length,
      SourceIdentity: sourceIdentity,
    };
  },
});
