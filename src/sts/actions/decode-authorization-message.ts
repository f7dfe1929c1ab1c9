import { openAuthorizationMessage } from '../../tokens/authorization-message.ts';
import { defineAction, type SignedAction } from '../action.ts';
import { stsError } from '../errors.ts';
import { required, stsParameters } from '../parameters.ts';
import { requirePermission } from '../require-permission.ts';

const refusal = 'Cannot call DecodeAuthorizationMessage with session credentials';

/** Decodes the encoded message of a denial (AWS STS API Reference, DecodeAuthorizationMessage). */
export const decodeAuthorizationMessage: SignedAction = defineAction({
  name: 'DecodeAuthorizationMessage',
  callers: {
    user: 'admitted',
    root: 'admitted',
    'user-session': { refusal },
    'root-session': { refusal },
    'federated-user': { refusal },
    'role-session': 'admitted',
  },
  parameters: { EncodedMessage: required(stsParameters.EncodedMessage) },
  async perform({ EncodedMessage: message }, call) {
    await requirePermission('sts:DecodeAuthorizationMessage', '*', call);
    const { keyRing } = call.dependencies;
    const opened = openAuthorizationMessage(message, keyRing, call.authenticated.raw.receivedAtMs);
    if (!opened.ok) {
      throw stsError('InvalidAuthorizationMessageException', undefined, { detail: opened.reason });
    }
    return { DecodedMessage: JSON.stringify(opened.document) };
  },
});
