import { setTimeout } from 'node:timers/promises';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { NameLookups } from '../core/name-lookups.ts';
import type { RedisSettings } from './redis-settings.ts';

/** What commands are sent on: one Redis, the master that Sentinels name, or the masters of a Cluster. */
export interface RedisConnection {
  /** Sends a command about one key, which takes the way of all commands about that key. Rejects where it cannot be sent. */
  send(key: string, command: readonly string[], signal?: AbortSignal): Promise<unknown>;
  destroy(): void;
}

const connectTimeoutMs = 3_000;
/** A connection without any data, sent or received, for this long is replaced. Records are read more often than that. */
const silenceMs = 4_000;
const longestReconnectMs = 1_000;
const maxQueued = 1_000;
/** How often the Sentinels are asked for the master, besides when they report a change. */
const scanMs = 30_000;
/**
 * How long each Sentinel may be silent, and may take to connect. They are asked one after the other, and commands wait meanwhile: one that hangs
 * must cost less than a command may wait, so they are pinged more often than they would speak by themselves.
 */
const sentinelSilenceMs = 400;
const sentinelPingMs = 150;
const sentinelConnectMs = 800;
/** How long a node of a Cluster is tried again before it is asked which node has its place. */
const refreshAfterMs = 500;

/**
 * Connects, and resolves once the first connection is open. Tries again until then, or until `signal` is aborted. The library is
 * loaded on demand, because it takes a fifth of the program's memory.
 */
export async function connectRedis(settings: RedisSettings, signal: AbortSignal): Promise<RedisConnection> {
  const redis = await import('@redis/client');
  const make =
    settings.sentinels !== undefined
      ? sentinelMaker
      : settings.cluster !== undefined
        ? clusterMaker
        : singleMaker;
  const attempt = make(redis, settings);
  for (;;) {
    const { connected, ...connection } = attempt();
    const end = (): void => connection.destroy();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      await connected;
      return {
        send: connection.send,
        destroy: () => {
          signal.removeEventListener('abort', end);
          end();
        },
      };
    } catch {
      signal.removeEventListener('abort', end);
      end();
      if (signal.aborted) return connection;
      await setTimeout(longestReconnectMs, undefined, { ref: false });
    }
  }
}

type Library = typeof import('@redis/client');
type Attempt = RedisConnection & { readonly connected: Promise<unknown> };

function singleMaker({ createClient }: Library, settings: RedisSettings): () => Attempt {
  const address = settings.url?.reveal() ?? '';
  const options = {
    ...nodeOptions(settings, address.startsWith('rediss:')),
    url: address,
  };
  return () => {
    const client = createClient(options);
    // Every command reports its own failure. Without a listener, the first error event would end the process.
    client.on('error', () => undefined);
    return {
      // It goes on trying by itself.
      connected: client.connect().catch(() => undefined),
      send: (_, command, signal) => client.sendCommand(command, withSignal(signal)),
      destroy: () => client.destroy(),
    };
  };
}

function sentinelMaker({ createSentinel }: Library, settings: RedisSettings): () => Attempt {
  const { sentinels = [], masterName = '', database, sentinelUsername, sentinelPassword } = settings;
  const { username: _, password: __, ...common } = nodeOptions(settings, settings.tls === true);
  const options = (connectTimeout: number) => ({
    name: masterName,
    sentinelRootNodes: sentinels.map(({ host, port }) => ({ host, port })),
    nodeClientOptions: {
      ...common,
      ...credentials(settings.username, settings.password?.reveal()),
      ...(database === undefined ? {} : { database }),
    },
    sentinelClientOptions: {
      ...common,
      ...credentials(sentinelUsername, sentinelPassword?.reveal()),
      socket: { ...common.socket, connectTimeout, socketTimeout: sentinelSilenceMs },
      pingInterval: sentinelPingMs,
    },
    // Each is a second: longer than that no request waits.
    maxCommandRediscovers: 3,
    scanInterval: scanMs,
  });
  // With names that resolve slowly, or far away, a connection takes longer: every second attempt has the time that others have.
  let isPatient = true;
  return () => {
    isPatient = !isPatient;
    const sentinel = createSentinel(options(isPatient ? connectTimeoutMs : sentinelConnectMs));
    sentinel.on('error', () => undefined);
    return {
      connected: sentinel.connect(),
      send: (_key, command, signal) => sentinel.sendCommand(false, [...command], withSignal(signal)),
      destroy: () => void sentinel.destroy().catch(() => undefined),
    };
  };
}

function clusterMaker({ createCluster }: Library, settings: RedisSettings): () => Attempt {
  const { cluster: urls = [] } = settings;
  const options = {
    rootNodes: urls.map((url) => ({ url })),
    defaults: nodeOptions(
      settings,
      urls.some((url) => url.startsWith('rediss:')),
    ),
    minimizeConnections: true,
    topologyRefreshOnReconnectionAttemptStrategy: refreshAfterMs,
  };
  return () => {
    const cluster = createCluster(options);
    cluster.on('error', () => undefined);
    return {
      connected: cluster.connect(),
      send: (key, command, signal) => cluster.sendCommand(key, false, [...command], withSignal(signal)),
      destroy: () => {
        cluster.destroy();
      },
    };
  };
}

function withSignal(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function credentials(
  username: string | undefined,
  password: string | undefined,
): { readonly username?: string; readonly password?: string } {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function nodeOptions(settings: RedisSettings, isTls: boolean) {
  const socket = {
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    // One look-up at a time: a silent name server would take both threads that look-ups of the store need.
    lookup: new NameLookups(connectTimeoutMs, 0).lookup,
    reconnectStrategy: (retries: number) => Math.min(50 * 2 ** Math.min(retries, 10), longestReconnectMs),
  };
  return {
    // A command that cannot be sent fails at once. Queued, it would run after its request has failed.
    disableOfflineQueue: true,
    // It would look up the name of the node once more, past `lookup`.
    maintNotifications: 'disabled' as const,
    commandsQueueMaxLength: maxQueued,
    ...credentials(settings.username, settings.password?.reveal()),
    socket: isTls ? { ...socket, tls: true as const, secureContext: secureContext(settings) } : socket,
  };
}

// Made once, not for every connection: reading all public authorities takes 16 ms.
function secureContext({ caPem, certPem, keyPem }: RedisSettings): SecureContext {
  return createSecureContext({
    ...(caPem === undefined ? {} : { ca: [...rootCertificates, caPem] }),
    ...(certPem === undefined || keyPem === undefined ? {} : { cert: certPem, key: keyPem.reveal() }),
  });
}
