import { defineAction, type SignedAction } from '../action.ts';

/**
 * Tells any authenticated caller who it is; no permission is needed and no policy can deny it (AWS STS API
 * Reference, GetCallerIdentity).
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
