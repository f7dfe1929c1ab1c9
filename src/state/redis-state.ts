import { randomUUID } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { NameLookups } from '../core/name-lookups.ts';
import type { Secret } from '../core/secret.ts';
import {
  beginAttemptScript,
  deleteOwnScript,
  putRecordScript,
  readRecordsScript,
  recordPrefix,
  removeRecordScript,
  restoreRecordsScript,
} from './redis-scripts.ts';
import {
  type AttemptLimit,
  maxRecords,
  type RecordsSnapshot,
  type RecordsVersion,
  type SharedState,
  StateError,
} from './shared-state.ts';

/** The Redis that holds the state of all replicas. */
export interface RedisSettings {
  /** `redis://` or `rediss://`, with user, password and database number where there are any. */
  readonly url: Secret;
  /** Certificates of private authorities, PEM, trusted in addition to the public ones. */
  readonly caPem?: string;
}

/** How long a request waits for Redis before it fails. */
const commandTimeoutMs = 1_000;
const connectTimeoutMs = 3_000;
/** A connection without any data for this long is replaced. Records are read more often than that. */
const silenceMs = 4_000;
const longestReconnectMs = 1_000;
const maxQueued = 1_000;

type Client = Awaited<ReturnType<typeof makeClient>>;

/** The state of all replicas that use the same Redis and the same prefix. */
export class RedisState implements SharedState {
  readonly isShared = true;
  readonly #settings: RedisSettings;
  readonly #prefix: string;
  /** Resolves once the first connection is open; `undefined` before the first command. */
  #connected: Promise<Client> | undefined;
  #client: Client | undefined;
  #isClosed = false;

  /**
   * The first command starts to connect, and connecting is retried until it succeeds.
   * @param prefix starts every key, so that other data in the same Redis stays apart
   */
  constructor(settings: RedisSettings, prefix: string) {
    this.#settings = settings;
    this.#prefix = prefix;
  }

  async useOnce(name: string, untilMs: number, nowMs: number): Promise<boolean> {
    const expiration = { type: 'PX', value: Math.max(1, Math.ceil(untilMs - nowMs)) } as const;
    const key = `${this.#prefix}used:${name}`;
    const own = randomUUID();
    const reply = await this.#ask(
      (client) => client.set(key, own, { condition: 'NX', expiration }),
      (client) => client.eval(deleteOwnScript, { keys: [key], arguments: [own] }),
    );
    return reply === 'OK';
  }

  async beginAttempt(name: string, limit: AttemptLimit, nowMs: number): Promise<boolean> {
    const values = [limit.maxFailures, limit.windowMs, nowMs].map(String);
    const key = this.#attemptsKey(name);
    const reply = await this.#ask(
      (client) => client.eval(beginAttemptScript, { keys: [key], arguments: values }),
      (client) => client.lRem(key, 1, String(nowMs)),
    );
    return reply === 1;
  }

  async forgiveAttempt(name: string, begunAtMs: number): Promise<void> {
    await this.#ask((client) => client.lRem(this.#attemptsKey(name), 1, String(begunAtMs)));
  }

  async readRecords(known: RecordsVersion | undefined): Promise<RecordsSnapshot | undefined> {
    const { epoch = '', number = 0, stamp = '' } = known ?? {};
    const reply = await this.#run(readRecordsScript, this.#recordsKey, [epoch, number, stamp, randomUUID()]);
    return reply === null ? undefined : readSnapshot(reply);
  }

  async putRecord(id: string, text: string): Promise<boolean> {
    const values = [recordPrefix + id, text, randomUUID(), randomUUID(), maxRecords];
    return (await this.#run(putRecordScript, this.#recordsKey, values)) === 1;
  }

  async restoreRecords(records: ReadonlyMap<string, string>): Promise<void> {
    const fields = [...records].flatMap(([id, text]) => [recordPrefix + id, text]);
    await this.#run(restoreRecordsScript, this.#recordsKey, [randomUUID(), randomUUID(), ...fields]);
  }

  async removeRecord(id: string): Promise<boolean> {
    return (await this.#run(removeRecordScript, this.#recordsKey, [recordPrefix + id, randomUUID()])) === 1;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client?.destroy();
  }

  async #connect(): Promise<Client> {
    const client = await makeClient(this.#settings);
    this.#client = client;
    // Every command reports its own failure. Without a listener, the first error event would end the process.
    client.on('error', () => undefined);
    const connected = client.connect().catch(() => undefined);
    if (this.#isClosed) client.destroy();
    await connected;
    return client;
  }

  get #recordsKey(): string {
    return `${this.#prefix}records`;
  }

  #attemptsKey(name: string): string {
    return `${this.#prefix}attempts:${name}`;
  }

  #run(script: string, key: string, values: readonly (string | number)[]): Promise<unknown> {
    return this.#ask((client) => client.eval(script, { keys: [key], arguments: values.map(String) }));
  }

  /**
   * @param undo undoes a command that Redis may carry out after its request has failed. It is sent at once, on the same
   * connection: after the command, and before a repetition of the request.
   */
  async #ask<T>(
    command: (client: Client) => Promise<T>,
    undo?: (client: Client) => Promise<unknown>,
  ): Promise<T> {
    this.#connected ??= this.#connect();
    let sentOn: Client | undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new StateError('Redis did not answer in time'));
      // After a busy turn of the event loop, timers run before an answer that has arrived is read; an immediate runs after.
      timer = setTimeout(() => setImmediate(fail), commandTimeoutMs);
    });
    try {
      // Two steps, so that a command that timed out without a connection does not run once there is one.
      const client = await Promise.race([this.#connected, late]);
      sentOn = client;
      return await Promise.race([command(client), late]);
    } catch (cause) {
      if (sentOn !== undefined && undo !== undefined) undo(sentOn).catch(() => undefined);
      if (cause instanceof StateError) throw cause;
      throw new StateError(`Redis: ${cause instanceof Error ? cause.message : 'failed'}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

// Loaded on demand, because it takes a fifth of the program's memory. The return type is inferred: it lists every Redis
// command.
async function makeClient({ url, caPem }: RedisSettings) {
  const { createClient } = await import('@redis/client');
  const address = url.reveal();
  const common = {
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    // One look-up at a time: a silent name server would take both threads that look-ups of the store need.
    lookup: new NameLookups(connectTimeoutMs, 0).lookup,
    reconnectStrategy: (retries: number) => Math.min(50 * 2 ** Math.min(retries, 10), longestReconnectMs),
  };
  // Made once, not for every connection: reading all public authorities takes 16 ms.
  const makeContext = (): SecureContext =>
    createSecureContext(caPem === undefined ? {} : { ca: [...rootCertificates, caPem] });
  return createClient({
    url: address,
    // A command that cannot be sent fails at once. Queued, it would run after its request has failed.
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxQueued,
    socket: address.startsWith('rediss:') ? { ...common, tls: true, secureContext: makeContext() } : common,
  });
}

function readSnapshot(reply: unknown): RecordsSnapshot {
  if (!Array.isArray(reply)) throw new StateError('Redis did not answer with records');
  const [epoch, number, stamp, isContinued, fields] = reply as readonly unknown[];
  if (typeof epoch !== 'string' || typeof stamp !== 'string' || !Array.isArray(fields)) {
    throw new StateError('Redis did not answer with records');
  }
  const records = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [field, text] = [String(fields[index]), String(fields[index + 1])];
    if (field.startsWith(recordPrefix)) records.set(field.slice(recordPrefix.length), text);
  }
  return { version: { epoch, number: Number(number), stamp }, records, isContinued: isContinued === 1 };
}
