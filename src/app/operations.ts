import type { Server } from 'node:http';
import type { Audit } from '../audit/audit.ts';
import type { ByteBudget } from '../core/byte-budget.ts';
import type { Clock } from '../core/clock.ts';
import { createAdminServer, maxAdminConnections } from '../edge/admin.ts';
import { ConnectionTable } from '../edge/connection-table.ts';
import type { LimitReporter } from '../edge/limit-reporter.ts';
import { componentsOf } from '../edge/readyz.ts';
import type { EdgeServer } from '../edge/server.ts';
import { probeStore } from '../forward/store-probe.ts';
import type { Upstream } from '../forward/upstream.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import type { Configuration } from './configuration.ts';
import type { ListenersTls } from './listener-tls.ts';
import { createReadiness, type Phase } from './readiness.ts';
import { storeTargetOf } from './snapshot.ts';
import type { StateParts } from './state.ts';
import { StoreMonitor } from './store-monitor.ts';

/** What probes and scrapes are answered from. */
export interface OperationsParts {
  /** The one in force. */
  readonly configuration: () => Configuration;
  readonly phase: () => Phase;
  /** True when the configuration that was last read is in force. */
  readonly isReloaded: () => boolean;
  readonly clock: Clock;
  readonly shared: StateParts;
  readonly upstream: Upstream;
  readonly signingKeys: SigningKeyCache;
  readonly audit: Audit | undefined;
  readonly tls: ListenersTls;
  readonly edge: Pick<EdgeServer, 'connections' | 'places'>;
  readonly container: { readonly connections: ConnectionTable } | undefined;
  readonly budget: ByteBudget;
  readonly reporter: LimitReporter;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The admin listener, which is not listening yet, and what finds out how the store and the identity providers are. */
export interface Operations {
  readonly admin: Server;
  readonly start: () => void;
  readonly stop: () => void;
}

/** How often it is looked whether keys of identity providers are due. Keys that are young cost nothing. */
const keepKeysMs = 15_000;

/** Creates what operators look at. It asks nothing before `start`. */
export function createOperations(parts: OperationsParts): Operations {
  const { configuration, clock, shared, upstream, signingKeys, audit, tls, edge, container } = parts;
  const { budget, reporter, metrics, log } = parts;
  const backend = () => configuration().settings.backend;
  const store = new StoreMonitor({
    probe: () => probeStore(upstream, storeTargetOf(backend()), { keys: signingKeys, nowMs: clock.now() }),
    probeSeconds: () => backend().probeSeconds,
    changed: (part, cause) => {
      if (cause === undefined) log.info('readiness', 'works', { part });
      else log.warn('readiness', 'does not work', { part, cause });
    },
  });
  const readiness = createReadiness({
    clock,
    settings: () => configuration().settings,
    phase: parts.phase,
    isReloaded: parts.isReloaded,
    store,
    recordsFault: shared.recordsFault,
    providerKeys: () => configuration().identityProviders.keys,
    sinks: () => audit?.sinks ?? [],
    expiries: () => tls.expiries,
  });
  const connections = new ConnectionTable(maxAdminConnections, reporter, 'any');
  const admin = createAdminServer({
    parts: readiness,
    renderMetrics: () => metrics.render(),
    connections,
    tls: tls.admin,
  });
  metrics.watch(() => ({
    unauthenticated: edge.places.unauthenticated,
    bufferedBytes: budget.usedBytes,
    connections: {
      s3: edge.connections.size,
      admin: connections.size,
      ...(container === undefined ? {} : { container: container.connections.size }),
    },
    components: componentsOf(readiness()),
  }));
  const keepKeys = (): void => void configuration().identityProviders.keepKeys();
  let timer: NodeJS.Timeout | undefined;
  return {
    admin,
    start: () => {
      store.start();
      keepKeys();
      timer = setInterval(keepKeys, keepKeysMs).unref();
    },
    stop: () => {
      store.stop();
      clearInterval(timer);
    },
  };
}
