import { type IdentityKind, issuerFacts, type OwnRole } from '../kind.ts';
import { OidcProvider } from './oidc-provider.ts';
import { type OidcProviderSettings, oidcSchema, openIdRoleId, readOidcSettings } from './settings.ts';

/** OpenID Connect providers. */
export const oidc: IdentityKind<OidcProviderSettings> = {
  kind: 'oidc',
  schema: oidcSchema,
  read: readOidcSettings,
  describe: (settings) => {
    const { issuer, clientIds: audiences } = settings;
    return { ...issuerFacts({ issuer, audiences, setting: 'clientIds' }), role: ownRole(settings) };
  },
  create: (settings, tools) => new OidcProvider(settings, tools),
};

function ownRole(settings: OidcProviderSettings): OwnRole | undefined {
  const { name, issuer, clientIds, rolePolicies: policies, policyClaim } = settings;
  if (policies !== undefined) {
    const [clientId = ''] = clientIds;
    return { mode: 'role-policy', name: openIdRoleId(clientId), policies, source: [issuer, clientId] };
  }
  if (policyClaim === undefined) return undefined;
  return { mode: 'claim', name, policies: [], source: [issuer, ...[...clientIds].sort()] };
}
