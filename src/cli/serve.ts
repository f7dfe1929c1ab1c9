import { policyVocabulary } from '../app/policy-vocabulary.ts';
import { type App, createApp } from '../app.ts';
import { SinkError } from '../audit/audit.ts';
import { ConfigurationInputs } from '../config/inputs.ts';
import { loadConfiguration, type Overrides } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { systemRandomness } from '../core/randomness.ts';
import { watchConfiguration } from './configuration-watch.ts';
import {
  collectWhenQuiet,
  freeHeapBytes,
  liveHeapBytes,
  tuneGarbageCollection,
} from './garbage-collection.ts';
import { readInWorker } from './read-in-worker.ts';
import { reloadElsewhere } from './reload.ts';
import { reloadWarning, roomForReload } from './reload-room.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** How long a stopping replica still accepts requests, while load balancers notice that it is not ready. */
const drainGraceMs = 2_000;

/** Runs the sidecar until a signal ends it. */
export async function serve(path: string, overrides: Overrides, terminal: Terminal): Promise<number> {
  // By default the process ends at this signal. One that arrives while the configuration is being read becomes a reload.
  process.on('SIGHUP', () => undefined);
  const inputs = new ConfigurationInputs();
  const heapBefore = liveHeapBytes();
  const loaded = loadConfiguration(path, overrides, { vocabulary: policyVocabulary, files: inputs });
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    return exitCodes.badConfiguration;
  }
  for (const warning of loaded.warnings) terminal.prose(warning);
  tuneGarbageCollection();
  const app = createApp({ ...loaded, clock: systemClock, randomness: systemRandomness });
  // Before the listeners open: if the process just ended, some stores would keep truncated objects.
  process.on('uncaughtExceptionMonitor', () => app.abort());
  const stopped = stopSignal();
  void stopped
    .then(() => stopSignal())
    .then(() => {
      app.abort();
      process.exit(exitCodes.failure);
    });
  const started = {
    heapBytes: liveHeapBytes() - heapBefore,
    characters: inputs.characters(),
    freeBytes: freeHeapBytes(),
  };
  const warning = reloadWarning(started, inputs.bytesNow());
  if (warning !== undefined) terminal.prose(`${path}: ${warning}`);
  const room = roomForReload(app, started);
  const ending = new AbortController();
  const { signal } = ending;
  const reload = reloadElsewhere({
    app,
    path,
    overrides,
    inputs,
    room,
    readElsewhere: readInWorker,
    readHere: (files) => loadConfiguration(path, overrides, { vocabulary: policyVocabulary, files }),
    signal,
  });
  watchConfiguration({ inputs, reload });
  const addresses = await startOrExplain(app, terminal);
  if (typeof addresses === 'number') return addresses;
  collectWhenQuiet(() => app.limitActions());
  const { url, adminUrl, controlUrl, containerUrl } = addresses;
  const control = controlUrl === undefined ? '' : `, control on ${controlUrl}`;
  const container = containerUrl === undefined ? '' : `, container credentials on ${containerUrl}`;
  terminal.prose(`S3 and STS on ${url}, health and metrics on ${adminUrl}${control}${container}`);
  await stopped;
  terminal.prose('draining');
  await app.stop(drainGraceMs);
  ending.abort();
  return exitCodes.ok;
}

async function startOrExplain(
  app: App,
  terminal: Terminal,
): Promise<Awaited<ReturnType<App['start']>> | number> {
  try {
    return await app.start();
  } catch (error) {
    if (error instanceof SinkError) {
      terminal.prose(`audit.file: ${error.message}`);
      return exitCodes.badConfiguration;
    }
    terminal.prose(`cannot listen: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodes.failure;
  }
}

const stopSignals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

/** Resolves at the next signal that asks the process to end, or at one of `further`. */
export function stopSignal(further: readonly NodeJS.Signals[] = []): Promise<void> {
  const signals = [...stopSignals, ...further];
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of signals) process.off(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}
