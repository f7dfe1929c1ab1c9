import type { App } from '../app.ts';
import { ConfigurationInputs } from '../config/inputs.ts';
import type { LoadResult, Overrides } from '../config/load.ts';
import {
  cannotBeRead,
  type PassedConfiguration,
  type ReadAgain,
  takeOver,
} from '../config/passed-configuration.ts';
import { takeInSlices } from '../core/steps.ts';
import type { ConfigurationReloads, ReloadTrigger } from './configuration-watch.ts';
import type { ReadElsewhere } from './read-in-worker.ts';
import type { RoomForReload } from './reload-room.ts';

/** Files of so many bytes are read in some 50 ms: another thread would take longer to start, and 30 MiB. */
const briefBytes: number = 32 * 1024;

/** What a reload needs. */
export interface ReloadParts {
  readonly app: Pick<App, 'reload' | 'reloadInSteps'>;
  readonly path: string;
  readonly overrides: Overrides;
  /** The files of the configuration that the program has started with. */
  readonly inputs: ConfigurationInputs;
  readonly room: RoomForReload;
  /** For more than {@link briefBytes}. */
  readonly readElsewhere: ReadElsewhere;
  /** In this thread, and this turn of the event loop. */
  readonly readHere: (files: ConfigurationInputs) => LoadResult;
  /** Ends a reload that is under way. */
  readonly signal: AbortSignal;
}

/**
 * Reads the configuration again, in another thread unless it is short, and takes it over in steps. Nothing changes before the last step, and nothing is
 * taken over of files that have changed since they were read.
 */
export function reloadElsewhere(parts: ReloadParts): ConfigurationReloads['reload'] {
  const { app, path, overrides, room, readElsewhere, readHere, signal } = parts;
  let inForce = parts.inputs;
  /** True once a failure of the thread has been reported, until files have been read again. */
  let isThreadFailing = false;
  const reloadAtOnce = (trigger: ReloadTrigger): ConfigurationInputs => {
    const read = new ConfigurationInputs(inForce.lengths());
    const loaded = explainErrors(path, () => readHere(read));
    isThreadFailing = false;
    if (app.reload(loaded, trigger)) inForce = read;
    return read;
  };
  const readAgain = async (trigger: ReloadTrigger): Promise<PassedConfiguration | undefined> => {
    const { heapBytes, limitBytes } = room.forThread();
    const request: ReadAgain = { path, overrides, lengths: inForce.lengths(), heapBytes };
    try {
      const passed = await readElsewhere(request, limitBytes, signal);
      isThreadFailing = false;
      return passed;
    } catch (error) {
      if (!signal.aborted && !isThreadFailing)
        app.reload({ ok: false, problems: [threadFailed(error)] }, trigger);
      isThreadFailing = true;
      return undefined;
    }
  };
  return async ({ trigger, current, isAsSeen }) => {
    const fileBytes = current.bytesNow();
    const found = room.find({ fileBytes, inForce: inForce.characters() }, trigger);
    if (found !== 'free') return found;
    // A pause is better than the end by the memory of the container.
    if (fileBytes <= briefBytes || !room.hasThread(fileBytes)) return reloadAtOnce(trigger);
    const passed = await readAgain(trigger);
    if (passed === undefined) return 'none';
    const read = new ConfigurationInputs(undefined, passed.inputs);
    // Between the reading of two files one of them can have changed, and between the last look and the reading.
    if ((await read.changes()) !== undefined || !(await isAsSeen())) return 'changed';
    try {
      const loaded = await takeInSlices(again(passed, { path, overrides }), signal);
      if (await takeInSlices(app.reloadInSteps(loaded, trigger), signal)) inForce = read;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return read;
  };
}

/** At a reload even an error of the program itself must not end the process. Its text could quote a secret. */
function explainErrors(path: string, read: () => LoadResult): LoadResult {
  try {
    return read();
  } catch (error) {
    return { ok: false, problems: [cannotBeRead(path, error)] };
  }
}

/** The same as {@link explainErrors}, in steps. */
function* again(
  passed: PassedConfiguration,
  request: Pick<ReadAgain, 'path' | 'overrides'>,
): ReturnType<typeof takeOver> {
  try {
    return yield* takeOver(passed, request);
  } catch (error) {
    return { ok: false, problems: [cannotBeRead(request.path, error)] } satisfies LoadResult;
  }
}

function threadFailed(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason =
    code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? 'takes more heap than is free'
      : `failed: ${code ?? 'unknown error'}`;
  return `reading the configuration again ${reason}: it is tried again, or takes effect at a restart`;
}
