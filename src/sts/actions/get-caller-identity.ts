import { defineAction, type SignedAction } from '../action.ts';

/**
 * Returns the identity of the caller (AWS STS API Reference, GetCallerIdentity). No permission is needed, and no policy can
 * deny it.
 */
export const getCallerIdentity: SignedAction = defineAction({
  name: 'GetCallerIdentity',
  callers: {
    user: 'admitted',
    root: 'admitted',
    'user-session': 'admitted',
    'root-session': 'admitted',
    'federated-user': 'admitted',
    'role-session': 'admitted',
  },
  parameters: {},
  perform: async (_, { authenticated, dependencies }) => ({
    Arn: authenticated.caller.arn,
    UserId: authenticated.caller.userId,
    Account: dependencies.account.id,
  }),
});
