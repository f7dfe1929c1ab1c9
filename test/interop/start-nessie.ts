import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { cachedFolder, requireComponent } from './components.ts';
import { tailOf } from './daemon.ts';
import { freePorts } from './free-ports.ts';

/** A Nessie for one test file. */
export interface Nessie {
  /** Its Iceberg REST catalog. */
  readonly uri: string;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

const timeoutMs = 120_000;
const graceMs = 5_000;
// Nothing outlives the test, and nobody else can reach it.
const ofTests = [
  'quarkus.http.host=127.0.0.1',
  'quarkus.management.host=127.0.0.1',
  'quarkus.management.port=0',
  'quarkus.otel.sdk.disabled=true',
  'nessie.version.store.type=IN_MEMORY',
];

/**
 * Starts Nessie on a free loopback port, which takes 5 to 30 seconds.
 * @param properties its settings of the catalog and its object store, one a line
 */
export async function startNessie(properties: string): Promise<Nessie> {
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-nessie-'));
  const onExit = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', onExit);
  const [port = 0] = await freePorts(1);
  const settings = join(folder, 'application.properties');
  await writeFile(settings, [...ofTests, `quarkus.http.port=${port}`, properties, ''].join('\n'), {
    mode: 0o600,
  });
  const log = join(folder, 'output.log');
  const child = await spawnNessie(folder, settings, log);
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    process.off('exit', onExit);
    await rm(folder, { recursive: true, force: true });
  };
  const uri = `http://127.0.0.1:${port}/iceberg/`;
  try {
    await untilItAnswers(child, `${uri}v1/config`);
  } catch (error) {
    const lines = tailOf(log, 20);
    await stop();
    throw new Error(`Nessie did not start:\n${lines}`, { cause: error });
  }
  return { uri, stop };
}

async function spawnNessie(folder: string, settings: string, log: string): Promise<ChildProcess> {
  const installed = cachedFolder('nessie');
  const output = await open(log, 'w');
  const java = [
    ...[join(installed, 'java', 'bin', 'java'), '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...[`-Dquarkus.config.locations=${settings}`, '-jar', join(installed, 'nessie.jar')],
  ];
  const child = spawn(requireComponent('setpriv'), ['--pdeathsig', 'KILL', ...java], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: ['ignore', output.fd, output.fd],
  });
  await once(child, 'spawn');
  await output.close();
  return child;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function untilItAnswers(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const isThere = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (isThere) return;
    if (hasEnded(child) || performance.now() > deadline) throw new Error(`${url} does not answer`);
    await sleep(250);
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  if (await Promise.race([exited.then(() => true), sleep(graceMs, false)])) return;
  child.kill('SIGKILL');
  await exited;
}
