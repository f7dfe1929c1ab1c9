import type { IdentityKind } from '../kind.ts';
import { CustomTokenProvider } from './custom-token-provider.ts';
import {
  type CustomTokenProviderSettings,
  customTokenSchema,
  pluginRoleId,
  readCustomTokenSettings,
} from './settings.ts';

/** Webhooks that verify tokens. They have no ARN: sessions of their users are known by the role. */
export const customToken: IdentityKind<CustomTokenProviderSettings> = {
  kind: 'custom-token',
  schema: customTokenSchema,
  read: readCustomTokenSettings,
  describe: (settings) => {
    const { url, rolePolicies: policies } = settings;
    const role = { mode: 'custom-token', name: pluginRoleId(settings), policies, source: [url] } as const;
    return { form: 'customToken', urls: [{ path: ['url'], url }], role };
  },
  create: (settings, tools) => new CustomTokenProvider(settings, tools),
};
