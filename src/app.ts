import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { AuthenticationSources } from './authenticate/authenticate.ts';
import { PolicyGatherer } from './authorize/gather-policies.ts';
import type { AuthorizationSources } from './authorize/permission-decider.ts';
import { hasIssuer, type Settings } from './config/settings.ts';
import type { Clock } from './core/clock.ts';
import type { Randomness } from './core/randomness.ts';
import { buildDirectory, type Directory } from './directory/directory.ts';
import { providerRoleArn } from './directory/provider-role.ts';
import type { DirectoryRecords } from './directory/records.ts';
import { createAdminServer } from './edge/admin.ts';
import type { Denial } from './edge/handle-s3.ts';
import { createEdgeServer, type Snapshot } from './edge/server.ts';
import { closeServer, listen } from './edge/shutdown.ts';
import { TrustedProxies } from './edge/trusted-proxies.ts';
import { Forwarder } from './forward/forward.ts';
import { TagLookup } from './forward/lookup.ts';
import { Upstream } from './forward/upstream.ts';
import { ConfiguredProviders } from './identity/configured-providers.ts';
import { ConfiguredWebhooks } from './identity/custom-token/configured-webhooks.ts';
import type { CustomTokenProviders } from './identity/custom-token-identity.ts';
import type { IdentityObserver } from './identity/observer.ts';
import type { IdentityProviders } from './identity/provider.ts';
import { ConfiguredSamlProviders } from './identity/saml/configured-saml-providers.ts';
import type { SamlProviders } from './identity/saml-identity.ts';
import { Log } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { GuardedFetch } from './outbound/guarded-fetch.ts';
import { lookupKeysOf } from './s3/lookup-keys.ts';
import { SigningKeyCache } from './sigv4/signing-key.ts';
import { MemoryState } from './state/memory-state.ts';
import type { SharedState } from './state/shared-state.ts';
import { sealAuthorizationMessage } from './tokens/authorization-message.ts';
import { createKeyRing, type KeyRing } from './tokens/key-ring.ts';
import { SessionOpener } from './tokens/open.ts';
import { version } from './version.ts';

/** What a sidecar is made of. Time and randomness come in here and nowhere else. */
export interface AppParts {
  readonly settings: Settings;
  readonly directory: DirectoryRecords;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Where log lines go; stdout when absent. */
  readonly logTo?: { write(line: string): void };
}

/** A sidecar: started once, stopped once. */
export interface App {
  /** Opens both listeners; the URLs carry the ports in use. */
  start(): Promise<{ url: string; adminUrl: string }>;
  /**
   * Drops readiness, goes on answering for `graceMs` so that load balancers notice, then stops accepting, lets
   * requests in flight finish up to a deadline, and closes the connections to the store.
   */
  stop(graceMs?: number): Promise<void>;
}

/** How long requests in flight may take once the sidecar was told to stop. */
const drainDeadlineMs = 25_000;

/** Puts the sidecar together: the only place that knows every implementation. */
export function createApp(parts: AppParts): App {
  const { settings, clock, randomness } = parts;
  const metrics = new Metrics();
  const log = new Log(settings.log, parts.logTo);
  const directory = buildDirectory(parts.directory);
  const upstream = new Upstream(settings.backend.endpoint, settings.backend.timeouts);
  const fetch = new GuardedFetch(settings.outbound);
  const tools = { fetch, clock, observer: identityObserver(metrics, log) };
  const identityProviders = new ConfiguredProviders(settings.identityProviders.filter(hasIssuer), tools);
  const ofWebhooks = settings.identityProviders.filter((one) => one.kind === 'custom-token');
  const customTokenProviders = new ConfiguredWebhooks(ofWebhooks, tools);
  const ofAssertions = settings.identityProviders.filter((one) => one.kind === 'saml');
  const state = new MemoryState();
  const samlProviders = new ConfiguredSamlProviders(ofAssertions, settings.account, state);
  const snapshot = createSnapshot(parts, {
    directory,
    upstream,
    identityProviders,
    customTokenProviders,
    samlProviders,
    state,
  });
  metrics.describe({ version, revision: '' }, { ...directory.policyCounts });
  let isReady = false;
  const edge = createEdgeServer({
    snapshot: () => snapshot,
    clock,
    randomness,
    limits: settings.server.limits,
    trustedProxies: new TrustedProxies(settings.server.trustedProxies),
    metrics,
    log,
  });
  const admin = createAdminServer({ isReady: () => isReady, renderMetrics: () => metrics.render() });
  return {
    start: async () => {
      const { listen: s3Address } = settings.server;
      const { listen: adminAddress } = settings.admin;
      const adminPort = await listen(admin, adminAddress.host, adminAddress.port);
      const port = await listenOrClose(edge, s3Address, admin);
      isReady = true;
      const url = `http://${urlHost(s3Address.host)}:${port}`;
      const adminUrl = `http://${urlHost(adminAddress.host)}:${adminPort}`;
      log.info('app', 'started', { version, url, admin_url: adminUrl });
      logProviderRoles(parts, log);
      void customTokenProviders.probe();
      return { url, adminUrl };
    },
    stop: async (graceMs = 0) => {
      isReady = false;
      if (graceMs > 0) await setTimeout(graceMs);
      await closeServer(edge, drainDeadlineMs);
      await upstream.destroy();
      await fetch.close();
      await closeServer(admin, 0);
      log.info('app', 'stopped');
    },
  };
}

/** Clients of a MinIO-style provider have to name its role, and only the sidecar knows its ARN. */
function logProviderRoles({ directory, settings }: AppParts, log: Log): void {
  for (const role of directory.providerRoles ?? []) {
    const { provider, mode } = role;
    if (mode === 'claim') continue;
    const roleArn = providerRoleArn(role, settings.account.region);
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

/** What requests are answered with, beside the settings. */
interface SnapshotParts {
  readonly directory: Directory;
  readonly upstream: Upstream;
  readonly identityProviders: IdentityProviders;
  readonly customTokenProviders: CustomTokenProviders;
  readonly samlProviders: SamlProviders;
  readonly state: SharedState;
}

function createSnapshot(
  { settings, clock, randomness }: AppParts,
  { directory, upstream, identityProviders, customTokenProviders, samlProviders, state }: SnapshotParts,
): Snapshot {
  const { account, backend, tokens } = settings;
  const keyRing = createKeyRing(tokens.keys, tokens.sealWith);
  const signingKeys = new SigningKeyCache();
  const policies = new PolicyGatherer(directory);
  const authentication: AuthenticationSources = {
    directory,
    sessions: new SessionOpener(keyRing),
    signingKeys,
    allowedRegions: new Set(account.allowedRegions),
  };
  const origin = new URL(backend.endpoint);
  const { region, credentials, trailers } = backend;
  const store = { host: origin.host, region, credentials, trailers };
  const authorization: AuthorizationSources = {
    policies,
    lookup: new TagLookup(upstream, store, signingKeys, clock),
    lookupKeysOf,
    enforcement: settings.authorization.enforcement,
    listBuckets: settings.authorization.listBuckets,
  };
  return {
    s3: {
      routing: {
        virtualHosts: settings.server.virtualHosts,
        accountId: account.id,
        partition: account.partition,
        supports: new Set(backend.supports),
      },
      authentication,
      authorization,
      forwarder: new Forwarder(upstream, store, signingKeys, clock),
      sealDenial: denialSealer(keyRing),
    },
    sts: {
      authentication,
      keyRing,
      policies,
      randomness,
      state,
      identityProviders,
      customTokenProviders,
      samlProviders,
      account,
    },
  };
}

function denialSealer(keyRing: KeyRing): (denial: Denial) => string {
  return ({ caller, denied, deniedAtMs, requestId }) => {
    const { decision, permission, context } = denied;
    const { isExplicitDeny, policyType, statement } = decision;
    return sealAuthorizationMessage(
      {
        principal: { arn: caller.arn, userId: caller.userId },
        action: permission.action,
        resource: permission.resource,
        isExplicitDeny,
        policyType,
        statement,
        context,
        requestId,
        deniedAtMs,
      },
      keyRing,
    );
  };
}

async function listenOrClose(
  edge: Server,
  address: { host: string; port: number },
  admin: Server,
): Promise<number> {
  try {
    return await listen(edge, address.host, address.port);
  } catch (error) {
    await closeServer(admin, 0);
    throw error;
  }
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
