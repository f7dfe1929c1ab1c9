import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { type Daemon, startDaemon } from '../daemon.ts';
import { freePorts } from '../free-ports.ts';
import { untilListening } from './start-redis.ts';

/** One server of a group. */
export interface RedisNode {
  readonly port: number;
  /** Ends it at once, without a word to anyone. */
  kill(): Promise<void>;
  /** Stops answering; connections stay open. */
  pause(): void;
  resume(): void;
  /** Runs a command. */
  ask(...command: readonly string[]): Promise<unknown>;
}

/** Several servers that end together. */
export interface RedisGroup {
  readonly nodes: readonly RedisNode[];
  close(): Promise<void>;
}

/** The rights that docs/revocation.md names, those for a Cluster too. */
function userRights(): readonly string[] {
  const page = readFileSync('docs/revocation.md', 'utf8');
  const [, rights = ''] = /^ACL SETUSER .* ~sts-sidecar:123456789012:\* (.*)$/m.exec(page) ?? [];
  const ofCluster = /also `(\+cluster[^`]*)`/.exec(page)?.[1] ?? '';
  return `${rights} ${ofCluster}`.split(' ');
}

/** What the servers of a group are called and ask for. */
export const redisUser = { name: 'sidecar', password: 'password-of-the-nodes' } as const;
export const sentinelPassword = 'password-of-the-sentinels';
export const masterName = 'main';

interface Started {
  readonly node: RedisNode;
  readonly end: () => Promise<void>;
}

async function startNode(port: number, password: string, args: readonly string[]): Promise<Started> {
  const daemon: Daemon = await startDaemon('redis-server', args);
  await untilListening(port);
  const signal = (name: NodeJS.Signals): void => {
    if (daemon.isRunning()) process.kill(daemon.pid, name);
  };
  const end = async (): Promise<void> => {
    signal('SIGKILL');
    await daemon.stop(1000);
  };
  const ask = async (...command: readonly string[]): Promise<unknown> => {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      password,
      socket: { reconnectStrategy: false },
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand([...command]);
    } finally {
      client.destroy();
    }
  };
  return {
    node: { port, kill: end, pause: () => signal('SIGSTOP'), resume: () => signal('SIGCONT'), ask },
    end,
  };
}

const nothingOnDisk = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
const withUser = [
  ...['--requirepass', redisUser.password, '--masterauth', redisUser.password],
  ...[
    '--user',
    redisUser.name,
    'on',
    `>${redisUser.password}`,
    '~sts-sidecar:123456789012:*',
    ...userRights(),
  ],
];

function groupOf(started: readonly Started[], folder: string): RedisGroup {
  return {
    nodes: started.map(({ node }) => node),
    close: async () => {
      await Promise.all(started.map(({ end }) => end()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A master, a replica, and three Sentinels that take a master for dead after a second: in this order. */
export async function startSentinels(): Promise<RedisGroup> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-sentinels-'));
  const [master = 0, replica = 0, ...sentinels] = await freePorts(5);
  const node = (port: number, further: readonly string[]): Promise<Started> => {
    const args = ['--port', String(port), '--dir', folder, '--dbfilename', `${port}.rdb`];
    return startNode(port, redisUser.password, [...args, ...nothingOnDisk, ...withUser, ...further]);
  };
  const started = [
    await node(master, []),
    await node(replica, ['--replicaof', '127.0.0.1', String(master), '--repl-diskless-sync-delay', '0']),
  ];
  for (const port of sentinels) {
    const file = join(folder, `sentinel-${port}.conf`);
    const settings = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `requirepass ${sentinelPassword}`,
      `sentinel sentinel-pass ${sentinelPassword}`,
      `sentinel monitor ${masterName} 127.0.0.1 ${master} 2`,
      `sentinel auth-pass ${masterName} ${redisUser.password}`,
      `sentinel down-after-milliseconds ${masterName} 1000`,
      `sentinel failover-timeout ${masterName} 5000`,
    ];
    writeFileSync(file, `${settings.join('\n')}\n`);
    started.push(await startNode(port, sentinelPassword, [file, '--sentinel']));
  }
  return groupOf(started, folder);
}

/** A Cluster: three masters, then a replica of each. A node counts as dead after a second. */
export async function startCluster(): Promise<RedisGroup> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-cluster-'));
  const ports = await freePorts(12);
  const started: Started[] = [];
  for (let index = 0; index < 6; index += 1) {
    const [port = 0, busPort = 0] = [ports[2 * index], ports[2 * index + 1]];
    const args = [
      ...['--port', String(port), '--dir', folder, '--dbfilename', `${port}.rdb`],
      ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
      ...['--cluster-config-file', `nodes-${port}.conf`, '--cluster-node-timeout', '1000'],
      ...['--repl-diskless-sync-delay', '0'],
    ];
    started.push(await startNode(port, redisUser.password, [...args, ...nothingOnDisk, ...withUser]));
  }
  const nodes = started.map(({ node }) => node);
  const [first] = nodes;
  for (const [index, { port }] of nodes.entries())
    await first?.ask('CLUSTER', 'MEET', '127.0.0.1', String(port), String(ports[2 * index + 1]));
  const ranges = [
    ['0', '5460'],
    ['5461', '10922'],
    ['10923', '16383'],
  ];
  for (const [index, range] of ranges.entries())
    await nodes[index]?.ask('CLUSTER', 'ADDSLOTSRANGE', ...range);
  await until(async () => (await Promise.all(nodes.map(knownNodes))).every((known) => known === 6));
  for (let index = 0; index < 3; index += 1) {
    const master = String(await nodes[index]?.ask('CLUSTER', 'MYID'));
    await nodes[index + 3]?.ask('CLUSTER', 'REPLICATE', master);
  }
  await until(async () => (await Promise.all(nodes.map(isComplete))).every(Boolean));
  return groupOf(started, folder);
}

async function knownNodes(node: RedisNode): Promise<number> {
  const text = String(await node.ask('CLUSTER', 'NODES'));
  return text.split('\n').filter((line) => line.includes(' connected')).length;
}

async function isComplete(node: RedisNode): Promise<boolean> {
  const state = String(await node.ask('CLUSTER', 'INFO'));
  const replication = String(await node.ask('INFO', 'replication'));
  const isLinked = replication.includes('role:slave')
    ? replication.includes('master_link_status:up')
    : replication.includes('state=online');
  return state.includes('cluster_state:ok') && isLinked;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the group of Redis servers is not complete');
}
