import type { Settings } from '../config/settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { RunTimeRevocations } from '../revocation/run-time-revocations.ts';
import { MemoryState } from '../state/memory-state.ts';
import { RedisState } from '../state/redis-state.ts';
import {
  type RecordsFault,
  ReplicatedRecords,
  type ReplicationObserver,
} from '../state/replicated-records.ts';
import type { SharedState } from '../state/shared-state.ts';

/** State that outlives a configuration snapshot. */
export interface StateParts {
  readonly state: SharedState;
  readonly runTimeRevocations: RunTimeRevocations;
  /** What is wrong with the records of other replicas. */
  readonly recordsFault: () => RecordsFault | undefined;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface StateTools {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Creates the shared state of a configuration. */
export function createState({ state: settings, account }: Settings, tools: StateTools): StateParts {
  const { clock, randomness } = tools;
  const { redis, maxStalenessSeconds } = settings;
  const state: SharedState =
    redis === undefined ? new MemoryState() : new RedisState(redis, `sts-sidecar:${account.id}:`);
  const records = new ReplicatedRecords(state, clock, maxStalenessSeconds * 1000, replicationObserver(tools));
  return {
    state,
    runTimeRevocations: new RunTimeRevocations(records, clock, randomness),
    recordsFault: () => records.fault,
    start: () => records.start(),
    stop: async () => {
      records.stop();
      await state.close();
    },
  };
}

/** Counts every refresh; logs when refreshes begin to fail, and when they succeed again. */
function replicationObserver({ clock, metrics, log }: StateTools): ReplicationObserver {
  let isFailing = false;
  return {
    refreshed: (outcome, detail) => {
      metrics.stateRefreshed(outcome, clock.now() / 1000);
      if (outcome === 'failure' && !isFailing) {
        log.error('state', 'shared state is not available', { cause: detail });
      }
      if (outcome === 'success' && isFailing) log.info('state', 'shared state is available again');
      isFailing = outcome === 'failure';
    },
    restored: (count) =>
      log.error('state', 'shared state had lost revocations; they were put back', { count }),
  };
}
