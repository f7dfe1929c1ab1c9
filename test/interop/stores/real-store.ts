import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentName } from '../components.ts';
import { type Daemon, startDaemon } from '../daemon.ts';
import { freePorts } from '../free-ports.ts';

/** A store for one test file. */
export interface RealStore {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where it keeps objects and what is to become of them, as files; absent for a store that does not. */
  readonly places?: readonly string[];
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** How one kind of store is started: which folders it needs, its arguments, and where it takes its key from. */
export interface StoreProgram {
  readonly name: ComponentName;
  readonly folders: readonly string[];
  /** Where objects, parts and unfinished uploads are, below the folder of the store. */
  readonly places: readonly string[];
  readonly arguments: (place: { readonly folder: string; readonly address: string }) => readonly string[];
  readonly environment: (key: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }) => Readonly<Record<string, string>>;
}

const timeoutMs = 30_000;
const graceMs = 2_000;

/** Starts a store of one program on a free loopback port, with a random key, and waits until it answers. */
export async function startStore(program: StoreProgram): Promise<RealStore> {
  const folder = await mkdtemp(join(tmpdir(), `sts-sidecar-${program.name}-`));
  await Promise.all(program.folders.map((name) => mkdir(join(folder, name))));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const key = { accessKeyId: 'STOREKEY', secretAccessKey: randomBytes(20).toString('hex') };
  const daemon = await startDaemon(
    program.name,
    program.arguments({ folder, address }),
    program.environment(key),
  );
  const endpoint = `http://${address}`;
  const stop = async (): Promise<void> => {
    await daemon.stop(graceMs);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(endpoint, daemon);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, ...key, places: program.places.map((place) => join(folder, place)), stop };
}

async function untilItAnswers(endpoint: string, daemon: Daemon): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const status = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status > 0 && status < 500) return;
    if (!daemon.isRunning()) throw new Error(`${daemon.name} ended by itself`);
    if (performance.now() > deadline) throw new Error(`${daemon.name} does not answer`);
    await sleep(50);
  }
}
