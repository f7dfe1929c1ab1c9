import type { ConfiguredProviders } from '../../../src/identity/configured-providers.ts';
import { IdentityFault } from '../../../src/identity/identity-fault.ts';
import { readSamlMetadata } from '../../../src/identity/saml/metadata.ts';
import type { SamlProviderSettings } from '../../../src/identity/saml/settings.ts';
import type { SamlIdentity } from '../../../src/identity/saml-identity.ts';
import { GuardedFetch } from '../../../src/outbound/guarded-fetch.ts';
import { MemoryState } from '../../../src/state/memory-state.ts';
import type { UsedNames } from '../../../src/state/shared-state.ts';
import { rsaKey } from '../../support/keys.ts';
import { createSamlIdp, defaultRecipient, type SamlIdp } from '../../support/saml-idp.ts';
import { configured } from '../configured.ts';

export const nowMs: number = Date.UTC(2026, 10, 23, 10, 0, 0);
/** Assertions are judged without asking a provider. */
const noTools = {
  fetch: new GuardedFetch({ allowHttp: [], timeoutSeconds: 30 }),
  clock: { now: () => nowMs },
  observer: { requested: () => undefined, keysRefreshed: () => undefined },
};
const account = '123456789012';
export const roleArn: string = `arn:aws:iam::${account}:role/analyst`;
export const principalArn: string = `arn:aws:iam::${account}:saml-provider/company`;

/** A provider under test with its identity provider, and a second one beside them. */
export interface SamlWorld {
  readonly idp: SamlIdp;
  readonly other: SamlIdp;
  /** Has an assertion judged and uses it up. */
  identify(assertion: string, atMs?: number): Promise<SamlIdentity>;
  /** The same, by the provider with that ARN. */
  identifyBy(arn: string, assertion: string): Promise<SamlIdentity>;
  /** The reason why an assertion is refused; `accepted` when it is not. */
  verdict(assertion: string, atMs?: number): Promise<string>;
}

export interface SamlWorldOptions {
  readonly keyType?: 'rsa' | 'ec';
  readonly settings?: Partial<SamlProviderSettings>;
  readonly used?: UsedNames;
  /** True when signatures that did not fit a message are remembered. Otherwise each message is judged by itself. */
  readonly remembers?: boolean;
}

/** The RSA keys are the same in every world; `other` never has the key of `idp`. */
export function createSamlWorld({
  keyType = 'rsa',
  settings = {},
  used = new MemoryState(),
  remembers = false,
}: SamlWorldOptions = {}): SamlWorld {
  const now = (): number => nowMs;
  const roles = [`${roleArn},${principalArn}`];
  const idp = createSamlIdp({
    roles,
    now,
    keyType,
    ...(keyType === 'rsa' ? { key: rsaKey('company') } : {}),
  });
  const other = createSamlIdp({ entityId: 'https://other.example.com', roles, now, key: rsaKey('other') });
  const create = (): ConfiguredProviders =>
    configured([settingsOf('company', idp, settings), settingsOf('other', other)], noTools, used);
  const kept = create();
  const providers = (): ConfiguredProviders => (remembers ? kept : create());
  const useUp = async (asked: Promise<SamlIdentity>): Promise<SamlIdentity> => {
    const identity = await asked;
    await identity.useUp();
    return identity;
  };
  const identify = (assertion: string, atMs = nowMs): Promise<SamlIdentity> =>
    useUp(providers().saml({ principalArn, assertion }, atMs));
  return {
    idp,
    other,
    identify,
    identifyBy: (arn, assertion) => useUp(providers().saml({ principalArn: arn, assertion }, nowMs)),
    verdict: (assertion, atMs) =>
      identify(assertion, atMs).then(
        () => 'accepted',
        (error: unknown) => {
          if (error instanceof IdentityFault) return error.reason;
          throw error;
        },
      ),
  };
}

function settingsOf(
  name: string,
  { metadata }: SamlIdp,
  changes: Partial<SamlProviderSettings> = {},
): SamlProviderSettings {
  return {
    kind: 'saml',
    name,
    ...readSamlMetadata(metadata),
    recipients: [defaultRecipient],
    audiences: ['urn:amazon:webservices'],
    ...changes,
  };
}
