import type { AccountName, HolderKeys, IdentityKind } from '../kind.ts';
import { conditionKeys, samlConditionKeys } from './condition-keys.ts';
import { SamlProvider, samlNameQualifier, samlProviderArn } from './saml-provider.ts';
import { readSamlSettings, type SamlProviderSettings, samlSchema } from './settings.ts';

/** SAML 2.0 identity providers. */
export const saml: IdentityKind<SamlProviderSettings> = {
  kind: 'saml',
  schema: samlSchema,
  conditionKeys: samlConditionKeys,
  read: readSamlSettings,
  describe: (settings) => ({
    form: 'saml',
    principal: {
      issuer: settings.entityId,
      arnIn: samlProviderArn(settings.name),
      keysIn: (account) => holderKeys(settings, account),
    },
    urls: [],
  }),
  create: (settings, { account, used }) => new SamlProvider(settings, account, used),
};

function holderKeys(
  { name, entityId, recipients }: SamlProviderSettings,
  { id: accountId }: AccountName,
): HolderKeys {
  const [recipient = ''] = recipients;
  const facts = {
    issuer: entityId,
    nameQualifier: samlNameQualifier(entityId, accountId, name),
    doc: `${accountId}/${name}`,
    recipient,
    subject: '',
    subjectType: '',
  };
  const untold = ['saml:sub', 'saml:sub_type', ...(recipients.length === 1 ? [] : ['saml:aud'])];
  return { known: conditionKeys(facts, new Map()), untold };
}
