import type { SinkState } from '../audit/sink.ts';
import type { Settings } from '../config/settings.ts';
import type { Clock } from '../core/clock.ts';
import type { ComponentName, PartState } from '../edge/readyz.ts';
import type { ProviderKeys } from '../identity/configured-providers.ts';
import type { RecordsFault } from '../state/replicated-records.ts';
import type { StoreMonitor } from './store-monitor.ts';

/** What the process is doing. */
export type Phase = 'starting' | 'serving' | 'draining';

/** What readiness is made of, as it is now. Nothing of it asks anyone. */
export interface ReadinessSources {
  readonly clock: Clock;
  readonly settings: () => Settings;
  readonly phase: () => Phase;
  /** True when the configuration that was last read is in force. */
  readonly isReloaded: () => boolean;
  readonly store: StoreMonitor;
  readonly recordsFault: () => RecordsFault | undefined;
  readonly providerKeys: () => readonly ProviderKeys[];
  readonly sinks: () => readonly SinkState[];
  /** When the first certificate of each listener with TLS expires, in milliseconds since the Unix epoch. */
  readonly expiries: () => ReadonlyMap<string, number>;
}

/** Returns the function that lists every part. */
export function createReadiness(sources: ReadinessSources): () => readonly PartState[] {
  return () => {
    const { settings, phase, store } = sources;
    const { admin, state } = settings();
    const required: ReadonlySet<ComponentName> = new Set(admin.readyRequires);
    const part = (component: ComponentName, failure: string | undefined, member?: string): PartState => ({
      component,
      ...(member === undefined ? {} : { member }),
      failure,
      isRequired: required.has(component),
    });
    const now = phase();
    const parts = [
      part('configuration', sources.isReloaded() ? undefined : 'the changed file was refused'),
      { ...part('listeners', now === 'serving' ? undefined : now), isRequired: true },
    ];
    if (store.isOn)
      parts.push(part('store', store.storeFailure), part('store_credentials', store.credentialsFailure));
    if (state.redis !== undefined) parts.push(recordsPart(sources.recordsFault(), part));
    for (const { name, fault } of sources.providerKeys()) parts.push(keysPart(name, fault, part));
    for (const { name, isFailing } of sources.sinks())
      parts.push(part('audit', isFailing ? 'does not accept records' : undefined, name));
    const nowMs = sources.clock.now();
    for (const [listener, expiresAtMs] of sources.expiries())
      parts.push(part('tls', expiresAtMs > nowMs ? undefined : 'the certificate has expired', listener));
    return parts;
  };
}

type MakePart = (component: ComponentName, failure: string | undefined, member?: string) => PartState;

function recordsPart(fault: RecordsFault | undefined, part: MakePart): PartState {
  switch (fault) {
    case undefined:
      return part('redis', undefined);
    case 'unknown':
      return { ...part('redis', 'has not answered yet: sessions are refused'), isRequired: true };
    case 'stale':
      return part('redis', 'stale: sessions are refused');
    case 'unconfirmed':
      return { ...part('redis', 'does not answer: the last known revocations are used'), isRequired: false };
  }
}

function keysPart(name: string, fault: ProviderKeys['fault'], part: MakePart): PartState {
  switch (fault) {
    case undefined:
      return part('identity_providers', undefined, name);
    case 'never_fetched':
      return part('identity_providers', 'its keys were never fetched', name);
    case 'withdrawn':
      return part('identity_providers', 'it answers without usable keys', name);
    case 'stale':
      // Tokens that are signed with these keys are still accepted.
      return {
        ...part('identity_providers', 'its keys are old: it does not answer', name),
        isRequired: false,
      };
  }
}
