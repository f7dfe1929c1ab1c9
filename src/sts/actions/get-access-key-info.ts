import { accountOfAccessKeyId } from '../../tokens/access-key-id.ts';
import { defineAction, type SignedAction } from '../action.ts';
import { stsError } from '../errors.ts';
import { required, stsParameters } from '../parameters.ts';
import { requirePermission } from '../require-permission.ts';

const refusal = 'Cannot call GetAccessKeyInfo with session credentials';

/**
 * Returns the account of an access key id, from the directory or from the id itself (AWS STS API Reference, GetAccessKeyInfo).
 * It does not tell whether the key is active or was ever issued.
 */
export const getAccessKeyInfo: SignedAction = defineAction({
  name: 'GetAccessKeyInfo',
  callers: {
    user: 'admitted',
    root: 'admitted',
    'user-session': { refusal },
    'root-session': { refusal },
    'federated-user': { refusal },
    'role-session': 'admitted',
  },
  parameters: { AccessKeyId: required(stsParameters.AccessKeyId) },
  async perform({ AccessKeyId: accessKeyId }, call) {
    await requirePermission('sts:GetAccessKeyInfo', '*', call);
    const { authentication, account } = call.dependencies;
    const isKnown = authentication.directory.accessKey(accessKeyId) !== undefined;
    const found = isKnown ? account.id : accountOfAccessKeyId(accessKeyId);
    if (found === undefined) {
      throw stsError('ValidationError', `The access key id ${accessKeyId} does not tell its account.`);
    }
    return { Account: found };
  },
});
