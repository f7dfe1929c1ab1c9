import { withoutScheme } from '../core/issuer.ts';
import { isLoopbackHost } from '../core/loopback.ts';
import type { RoleDraft } from '../directory/check-records.ts';
import type { TokenFacts } from '../identity/kind.ts';
import { quoteText } from './path.ts';
import { servicePrefixes } from './policy-vocabulary.ts';
import { identityProviderRecords } from './provider-records.ts';
import type { ReadProvider } from './read-identity-provider.ts';
import type { Reading } from './reading.ts';
import type { Settings } from './settings.ts';
import { suggest } from './suggest.ts';

/** Other sections that the checks look at; `undefined` when they could not be read. */
export interface ProviderSurroundings {
  readonly account: Settings['account'] | undefined;
  readonly outbound: Settings['outbound'] | undefined;
}

type Providers = readonly (ReadProvider | undefined)[];

const at = (index: number, ...rest: (string | number)[]): (string | number)[] => [
  'directory',
  'identityProviders',
  index,
  ...rest,
];

/** Checks that names and (issuer, audience) pairs are unique, and that plain http is used only where it is allowed. */
export function checkIdentityProviders(
  reading: Reading,
  providers: Providers,
  { outbound }: ProviderSurroundings,
): void {
  const names = new Set<string>();
  const owners = new Set<string>();
  const schemes = new Map<string, string>();
  for (const [index, provider] of providers.entries()) {
    if (provider === undefined) continue;
    const { settings, facts } = provider;
    const name = settings.name.toLowerCase();
    if (names.has(name)) reading.problem(at(index, 'name'), 'repeats the name of another identity provider');
    names.add(name);
    for (const { path, url } of facts.urls) checkScheme(reading, at(index, ...path), url, outbound);
    if (facts.tokens === undefined) continue;
    checkAudiences(reading, index, facts.tokens, owners);
    const { issuer } = facts.tokens;
    const bare = withoutScheme(issuer);
    // Trust policies name an issuer without its scheme.
    if ((schemes.get(bare) ?? issuer) !== issuer) {
      reading.problem(at(index, 'issuer'), 'differs from another issuer in its scheme only');
    }
    schemes.set(bare, issuer);
    // A claim of such an issuer would be a condition key of the service itself.
    if (servicePrefixes.has(bare.toLowerCase())) {
      reading.problem(at(index, 'issuer'), 'would be the prefix of condition keys of another service');
    }
  }
}

function checkAudiences(
  reading: Reading,
  index: number,
  { issuer, audiences, setting }: TokenFacts,
  owners: Set<string>,
): void {
  for (const [position, value] of audiences.entries()) {
    const owner = JSON.stringify([issuer, value]);
    if (owners.has(owner)) {
      reading.problem(
        at(index, setting, position),
        'repeats a value: one issuer and client id belong to one provider',
      );
    }
    owners.add(owner);
  }
}

function checkScheme(
  reading: Reading,
  path: readonly (string | number)[],
  text: string,
  outbound: Settings['outbound'] | undefined,
): void {
  if (outbound === undefined || !text.startsWith('http:')) return;
  const { hostname, origin } = new URL(text);
  if (isLoopbackHost(hostname) || outbound.allowHttp.includes(origin)) return;
  reading.problem(
    path,
    `must be https; to allow plain http, list ${quoteText(origin)} in outbound.allowHttp`,
  );
}

/**
 * Warns of trust policies that name an identity provider that is not configured. IAM lets such a role be saved, but it
 * cannot be assumed through that provider.
 */
export function checkFederatedTrust(
  reading: Reading,
  roles: readonly (RoleDraft | undefined)[],
  providers: Providers,
  { account }: ProviderSurroundings,
): void {
  if (account === undefined || providers.includes(undefined)) return;
  const configured = providers.filter((one) => one !== undefined);
  const known = new Set(identityProviderRecords(configured, account).map(({ arn }) => arn));
  for (const [index, role] of roles.entries()) {
    for (const statement of role?.trustPolicy?.document.statements ?? []) {
      for (const principal of statement.principals?.values ?? []) {
        if (principal.type !== 'federated' || known.has(principal.provider)) continue;
        const path = ['directory', 'roles', index, 'trustPolicy', 'Statement', statement.index, 'Principal'];
        const suggestion = suggest(principal.provider, [...known]);
        reading.warn(
          path,
          `no identity provider is configured as ${JSON.stringify(principal.provider.slice(0, 320))}${suggestion}`,
        );
      }
    }
  }
}
