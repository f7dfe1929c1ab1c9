import { providerRoleArn } from '../directory/provider-role.ts';
import type { IdentityObserver } from '../identity/observer.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Configuration } from './configuration.ts';

/** Logs generated role ARNs: clients of a MinIO-style provider must send them, and cannot learn them elsewhere. */
export function logProviderRoles(
  { records: { providerRoles = [] }, settings: { account } }: Configuration,
  log: Log,
): void {
  for (const role of providerRoles) {
    const { provider, mode } = role;
    if (mode === 'claim') continue;
    const roleArn = providerRoleArn(role, account.region);
    log.info('identity', 'generated role', { provider, mode, role_arn: roleArn });
  }
}

/** Reports the requests to identity providers as metrics, and those that failed in the log. */
export function identityObserver(metrics: Metrics, log: Log): IdentityObserver {
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
