/*
 * This file and `app/` put the program together: they alone know which implementation stands behind each interface.
 * In: checked settings, directory records, a clock and a source of randomness.
 * Out: an `App`, which opens the listeners in `start` and closes them in `stop`.
 * They never handle a request and never decide access.
 */

import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { createAudit } from './app/audit.ts';
import { type Configuration, type ConfigurationParts, createConfiguration } from './app/configuration.ts';
import { identityObserver, logProviderRoles } from './app/identity.ts';
import { ListenersTls } from './app/listener-tls.ts';
import { openListeners } from './app/listeners.ts';
import { createOperations } from './app/operations.ts';
import { createContainer, createControl } from './app/optional-listeners.ts';
import type { Phase } from './app/readiness.ts';
import { reloadedConfiguration, reportReload } from './app/reload.ts';
import { createState } from './app/state.ts';
import { createTracing } from './app/tracing.ts';
import type { LoadResult } from './config/load.ts';
import { ByteBudget } from './core/byte-budget.ts';
import type { Clock } from './core/clock.ts';
import type { Randomness } from './core/randomness.ts';
import { type Steps, takeAll } from './core/steps.ts';
import { LimitReporter } from './edge/limit-reporter.ts';
import { createEdgeServer } from './edge/server.ts';
import { closeServer, drain } from './edge/shutdown.ts';
import { Upstream } from './forward/upstream.ts';
import type { IdentityKinds } from './identity/kinds.ts';
import { Log } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { GuardedFetch } from './outbound/guarded-fetch.ts';
import { SigningKeyCache } from './sigv4/signing-key.ts';
import { version } from './version.ts';

/** What a sidecar is built from. Time and randomness enter here and nowhere else. */
export interface AppParts extends ConfigurationParts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** The kinds of identity providers; those of this version when absent. */
  readonly identityKinds?: IdentityKinds;
  /** Where log lines go; stdout when absent. */
  readonly logTo?: { write(line: string): void };
}

/** The URLs of the listeners, with the actual ports; `undefined` for one that is off. */
export interface AppUrls {
  readonly url: string;
  readonly adminUrl: string;
  readonly controlUrl: string | undefined;
  readonly containerUrl: string | undefined;
}

/** A sidecar: started once, stopped once. */
export interface App {
  /**
   * Opens the sinks of the audit trail, and the listeners that are on.
   * @throws SinkError for an audit file that cannot be written to
   */
  start(): Promise<AppUrls>;
  /**
   * Drops readiness, goes on answering for `graceMs` so that load balancers notice, then stops accepting, lets
   * requests in flight finish up to a deadline, and closes the connections to the store.
   */
  stop(graceMs?: number): Promise<void>;
  /**
   * Takes over a configuration that was read again, or reports why it cannot; the one in force then stays. Requests in progress
   * keep the configuration with which they began. Never throws.
   * @param trigger why it was read, for the log
   * @returns true when it is in force now
   */
  reload(loaded: LoadResult, trigger: 'signal' | 'file'): boolean;
  /** The same as {@link reload}, in steps. Until the last one the configuration in force stays. One reload at a time. */
  reloadInSteps(loaded: LoadResult, trigger: 'signal' | 'file'): Steps<boolean>;
  /** Empties all caches. One caller can fill them, and must not keep a new configuration from coming into force. */
  emptyCaches(): void;
  /** Closes connections whose unfinished heads and refused uploads take memory. False when these take little. */
  endUnplaced(): boolean;
  /**
   * Resets the requests in progress that began with an earlier configuration: it stays in memory as long as they last. False when
   * there are none.
   */
  endEarlier(): boolean;
  /**
   * Resets the requests in progress of so many users and roles that have most of them, for the memory that they hold. False when
   * they are few.
   */
  endBusiest(callers: number): boolean;
  /**
   * Resets the requests in progress at the store, before a process that ends at once: some stores take the end of a
   * connection for the end of an upload, and keep a truncated object.
   */
  abort(): void;
  /** How often one of `server.limits` has acted since the start. */
  limitActions(): number;
}

/** How long the audit records and spans that are left may take after the last request: what is left of the drain, within these bounds. */
const leastRecordsMs = 1_000;
const mostRecordsMs = 10_000;

/** Builds a sidecar. It opens no connection before `start`. */
export function createApp(parts: AppParts): App {
  const { settings, clock, randomness } = parts;
  const metrics = new Metrics();
  const log = new Log(settings.log, parts.logTo);
  const upstream = new Upstream(settings.backend.endpoint, settings.backend.timeouts, settings.backend.tls);
  const fetch = new GuardedFetch(settings.outbound);
  const shared = createState(settings, { clock, randomness, metrics, log });
  const { state, runTimeRevocations } = shared;
  const budget = new ByteBudget(settings.server.limits.maxBufferedBytes);
  const tools = {
    shared: {
      clock,
      budget,
      randomness,
      upstream,
      state,
      runTimeRevocations,
      signingKeys: new SigningKeyCache(),
      configuredRevocations: () => configuration.revocations,
    },
    providers: { fetch, clock, observer: identityObserver(metrics, log), used: state },
    identityKinds: parts.identityKinds,
  };
  let configuration: Configuration = takeAll(createConfiguration(parts, tools));
  metrics.describe({ version, revision: '' });
  metrics.policiesLoaded({ ...configuration.directory.policyCounts });
  const audit = createAudit(settings.audit, {
    account: () => configuration.settings.account,
    policyRevision: () => configuration.policyRevision,
    clock,
    randomness,
    fetch,
    serviceName: settings.tracing?.serviceName ?? 'sts-sidecar',
    metrics,
    log,
    logTo: parts.logTo,
  });
  let phase: Phase = 'starting';
  let isReloaded = true;
  const reporter = new LimitReporter(metrics, log);
  const tracing = createTracing(settings, { clock, metrics, log });
  const common = { clock, randomness, metrics, log, audit, reporter, tracing: tracing.current };
  const tls = new ListenersTls(settings, metrics, log);
  const edge = createEdgeServer({
    snapshot: () => configuration.snapshot,
    ...common,
    limits: settings.server.limits,
    tls: tls.server,
    budget,
  });
  const control = createControl(settings, shared, {
    configuration: () => configuration,
    log,
    tls: tls.control,
  });
  const container = createContainer(settings, {
    service: () => configuration.snapshot.sts,
    scopeDownPolicy: () => configuration.settings.containerCredentials.scopeDownPolicy,
    ...common,
  });
  const operations = createOperations({
    configuration: () => configuration,
    phase: () => phase,
    isReloaded: () => isReloaded,
    ...common,
    shared,
    upstream,
    signingKeys: tools.shared.signingKeys,
    tls,
    edge,
    container,
    budget,
  });
  const { admin } = operations;
  function* reloadInSteps(loaded: LoadResult, trigger: 'signal' | 'file'): Steps<boolean> {
    const reloaded = yield* reloadedConfiguration(loaded, configuration, tools);
    metrics.reloaded(reloaded.outcome);
    isReloaded = reloaded.outcome === 'success';
    reportReload(reloaded, trigger, log);
    if (reloaded.outcome === 'failure') return false;
    if (reloaded.configuration === configuration) return true;
    configuration.retire();
    configuration = reloaded.configuration;
    tls.replace(configuration.settings);
    upstream.replaceTls(configuration.settings.backend.tls);
    metrics.policiesLoaded({ ...configuration.directory.policyCounts });
    logProviderRoles(configuration, log);
    void configuration.identityProviders.probe();
    return true;
  }
  return {
    start: async () => {
      await audit?.open();
      await tracing.open();
      const [adminUrl = '', url = '', controlUrl, containerUrl] = await openListeners([
        { server: admin, address: settings.admin.listen, tls: tls.admin },
        { server: edge.server, address: settings.server.listen, tls: tls.server },
        control && { server: control, address: settings.control.listen, tls: tls.control },
        container && { server: container.server, address: container.address },
      ]);
      await shared.start();
      phase = 'serving';
      operations.start();
      log.info('app', 'started', {
        version,
        url,
        admin_url: adminUrl,
        control_url: controlUrl,
        container_url: containerUrl,
      });
      logProviderRoles(configuration, log);
      void configuration.identityProviders.probe();
      return { url, adminUrl, controlUrl, containerUrl };
    },
    stop: async (graceMs = 0) => {
      phase = 'draining';
      if (graceMs > 0) await setTimeout(graceMs);
      const drainMs = configuration.settings.server.drainSeconds * 1000;
      const drainEndsAtMs = performance.now() + drainMs;
      await drain(edge.server, edge.places, drainMs);
      if (control !== undefined) await closeServer(control, 0);
      // After the requests that its credentials are for.
      if (container !== undefined) await closeServer(container.server, 0);
      operations.stop();
      upstream.destroy();
      const leftMs = drainEndsAtMs - performance.now();
      const recordsMs = Math.min(mostRecordsMs, Math.max(leastRecordsMs, leftMs));
      await Promise.all([audit?.stop(recordsMs), tracing.stop(recordsMs)]);
      await fetch.close();
      await shared.stop();
      await closeServer(admin, 0);
      log.info('app', 'stopped');
    },
    reload: (loaded, trigger) => takeAll(reloadInSteps(loaded, trigger)),
    reloadInSteps,
    emptyCaches: () => {
      configuration.forget();
      tools.shared.signingKeys.forget();
    },
    endUnplaced: () => edge.endUnplaced(),
    endEarlier: () => edge.endEarlier(),
    endBusiest: (callers) => edge.endBusiest(callers),
    abort: () => upstream.destroy(),
    limitActions: () => reporter.actions,
  };
}
