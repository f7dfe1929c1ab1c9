import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, runTool, startDaemon, tailOf } from '../daemon.ts';
import { freePorts } from '../free-ports.ts';
import { monitorAddress, renderSettings } from './settings.ts';

/** What a test may choose about its store. */
export interface RgwOptions {
  /** Name of the store user; the default is `sidecar-backend`. */
  readonly userId?: string;
  /** Where the private folder is made; the default is the machine's temporary folder. */
  readonly parentDirectory?: string;
  /** How long the start may take in all, in milliseconds; the default is one minute. */
  readonly timeoutMs?: number;
}

/** A running Ceph RGW 16 for one test file. */
export interface Rgw {
  /** `http://127.0.0.1:PORT`, path-style addressing. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Process ids of the daemons, to see that they are gone. */
  readonly pids: readonly number[];
  /** The private folder; gone after `stop`. */
  readonly directory: string;
  /** The last `lines` lines of each daemon's log, without the secret key. */
  logTail(lines?: number): string;
  /** Ends every daemon, waits until they are gone and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}

interface Cluster {
  readonly directory: string;
  readonly config: string;
  readonly daemons: Daemon[];
  /** Removes the folder when the tests are interrupted; the kernel then ends the daemons. */
  readonly onExit: () => void;
  readonly deadline: number;
}

interface StoreKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** ceph-osd ignores SIGTERM for minutes; nothing it holds is worth waiting for. */
const GRACE_MS = 500;

/**
 * Starts one monitor, one in-memory object daemon and the S3 gateway of Ceph 16 on free loopback ports in a private
 * folder, creates a user with random keys, and waits until the gateway answers (1 to 4 seconds on two cores).
 * Where anything fails, everything started so far is ended and the error carries the logs' last lines.
 */
export async function startRgw(options: RgwOptions = {}): Promise<Rgw> {
  const directory = await mkdtemp(join(options.parentDirectory ?? tmpdir(), 'sts-sidecar-rgw-'));
  const cluster: Cluster = {
    directory,
    config: join(directory, 'ceph.conf'),
    daemons: [],
    onExit: () => rmSync(directory, { recursive: true, force: true }),
    deadline: performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
  };
  process.once('exit', cluster.onExit);
  try {
    const [monitorPort = 0, gatewayPort = 0] = await freePorts(2);
    const settings = { directory, clusterId: randomUUID(), monitorPort, gatewayPort };
    await writeFile(cluster.config, renderSettings(settings), { mode: 0o600 });
    await startMonitor(cluster, settings.clusterId, monitorPort);
    await startObjectDaemon(cluster);
    const keys = await createUser(cluster, options.userId ?? 'sidecar-backend');
    const endpoint = `http://127.0.0.1:${gatewayPort}`;
    await startGateway(cluster, endpoint);
    return describeRgw(cluster, endpoint, keys);
  } catch (error) {
    const logs = logTail(cluster, 10);
    await stopCluster(cluster);
    throw new Error(`Ceph RGW did not start:\n${logs}`, { cause: error });
  }
}

async function startMonitor(cluster: Cluster, clusterId: string, port: number): Promise<void> {
  await mkdir(join(cluster.directory, 'mon'));
  const map = join(cluster.directory, 'monmap');
  const identity = ['-c', cluster.config, '--id', 'a'];
  await runTool('monmaptool', [
    '--create',
    '--fsid',
    clusterId,
    '--addv',
    'a',
    `[${monitorAddress(port)}]`,
    map,
  ]);
  await runTool('ceph-mon', [...identity, '--mkfs', '--monmap', map]);
  cluster.daemons.push(await startDaemon('ceph-mon', [...identity, '--foreground']));
}

async function startObjectDaemon(cluster: Cluster): Promise<void> {
  await mkdir(join(cluster.directory, 'osd'));
  const osdId = randomUUID();
  // The first command also waits for the monitor to form its quorum.
  const number = await runTool('ceph', ['-c', cluster.config, 'osd', 'new', osdId]);
  const identity = ['-c', cluster.config, '--id', number.trim()];
  await runTool('ceph-osd', [...identity, '--mkfs', '--osd-uuid', osdId]);
  cluster.daemons.push(await startDaemon('ceph-osd', [...identity, '--foreground']));
}

/** The keys are made by radosgw-admin itself and read from its output, so no command line shows them. */
async function createUser(cluster: Cluster, userId: string): Promise<StoreKeys> {
  const output = await runTool('radosgw-admin', [
    '-c',
    cluster.config,
    'user',
    'create',
    `--uid=${userId}`,
    `--display-name=${userId}`,
  ]);
  return readKeys(JSON.parse(output));
}

function readKeys(user: unknown): StoreKeys {
  const [first] = arrayProperty(user, 'keys');
  return {
    accessKeyId: stringProperty(first, 'access_key'),
    secretAccessKey: stringProperty(first, 'secret_key'),
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function arrayProperty(value: unknown, name: string): readonly unknown[] {
  const found = property(value, name);
  return Array.isArray(found) ? found : [];
}

function stringProperty(value: unknown, name: string): string {
  const found = property(value, name);
  if (typeof found !== 'string' || found === '') throw new Error(`radosgw-admin printed no ${name}`);
  return found;
}

async function startGateway(cluster: Cluster, endpoint: string): Promise<void> {
  const gateway = await startDaemon('radosgw', [
    '-c',
    cluster.config,
    '--name',
    'client.rgw.a',
    '--foreground',
  ]);
  cluster.daemons.push(gateway);
  while (!(await answers(endpoint))) {
    const dead = cluster.daemons.find((daemon) => !daemon.isRunning());
    if (dead !== undefined) throw new Error(`${dead.name} ended by itself`);
    if (performance.now() > cluster.deadline) throw new Error('the gateway does not answer');
    await sleep(POLL_MS);
  }
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

function describeRgw(cluster: Cluster, endpoint: string, keys: StoreKeys): Rgw {
  return {
    endpoint,
    ...keys,
    region: 'us-east-1',
    pids: cluster.daemons.map((daemon) => daemon.pid),
    directory: cluster.directory,
    logTail: (lines = 20) => logTail(cluster, lines).replaceAll(keys.secretAccessKey, '[secret]'),
    stop: () => stopCluster(cluster),
  };
}

function logTail(cluster: Cluster, lines: number): string {
  return ['mon.a', 'osd.0', 'client.rgw.a', 'client.admin']
    .map((name) => `--- ${name}\n${tailOf(join(cluster.directory, `${name}.log`), lines)}`)
    .join('\n');
}

/** The gateway goes first: without its cluster it would wait instead of ending. */
async function stopCluster(cluster: Cluster): Promise<void> {
  for (const daemon of [...cluster.daemons].reverse()) await daemon.stop(GRACE_MS);
  await rm(cluster.directory, { recursive: true, force: true });
  process.off('exit', cluster.onExit);
}
