import { hasIssuer, type Settings } from '../config/settings.ts';
import type { Clock } from '../core/clock.ts';
import { providerRoleArn } from '../directory/provider-role.ts';
import type { DirectoryRecords } from '../directory/records.ts';
import { ConfiguredProviders } from '../identity/configured-providers.ts';
import { ConfiguredWebhooks } from '../identity/custom-token/configured-webhooks.ts';
import type { IdentityObserver } from '../identity/observer.ts';
import type { IdentityProviders } from '../identity/provider.ts';
import { ConfiguredSamlProviders } from '../identity/saml/configured-saml-providers.ts';
import type { SamlProviders } from '../identity/saml-identity.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { GuardedFetch } from '../outbound/guarded-fetch.ts';
import type { UsedNames } from '../state/shared-state.ts';

/** The configured identity providers, by kind. */
export interface IdentityParts {
  readonly identityProviders: IdentityProviders;
  readonly customTokenProviders: ConfiguredWebhooks;
  readonly samlProviders: SamlProviders;
}

interface IdentityTools {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly state: UsedNames;
}

/** Creates the identity providers of a configuration. */
export function createIdentity(
  { identityProviders, account }: Settings,
  tools: IdentityTools,
): IdentityParts {
  const { fetch, clock, metrics, log, state } = tools;
  const asking = { fetch, clock, observer: identityObserver(metrics, log) };
  const ofWebhooks = identityProviders.filter((one) => one.kind === 'custom-token');
  const ofAssertions = identityProviders.filter((one) => one.kind === 'saml');
  return {
    identityProviders: new ConfiguredProviders(identityProviders.filter(hasIssuer), asking),
    customTokenProviders: new ConfiguredWebhooks(ofWebhooks, asking),
    samlProviders: new ConfiguredSamlProviders(ofAssertions, account, state),
  };
}

/** Logs generated role ARNs: clients of a MinIO-style provider must send them, and cannot learn them elsewhere. */
export function logProviderRoles(
  { providerRoles = [] }: DirectoryRecords,
  { account }: Settings,
  log: Log,
): void {
  for (const role of providerRoles) {
    const { provider, mode } = role;
    if (mode === 'claim') continue;
    const roleArn = providerRoleArn(role, account.region);
    log.info('identity', 'generated role', { provider, mode, role_arn: roleArn });
  }
}

function identityObserver(metrics: Metrics, log: Log): IdentityObserver {
  return {
    requested: (request) => {
      metrics.identityRequest(request);
      if (request.outcome === 'success') return;
      const { provider, operation, outcome, detail } = request;
      log.warn('identity', 'identity provider request failed', { provider, operation, outcome, detail });
    },
    keysRefreshed: (provider, epochSeconds) => metrics.keysRefreshed(provider, epochSeconds),
  };
}
