import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { connectRedis, type RedisConnection } from './redis-connection.ts';
import {
  beginAttemptScript,
  deleteOwnScript,
  putRecordScript,
  readRecordsScript,
  recordPrefix,
  removeRecordScript,
  restoreRecordsScript,
} from './redis-scripts.ts';
import type { RedisSettings } from './redis-settings.ts';
import {
  type AttemptLimit,
  maxRecords,
  type RecordsSnapshot,
  type RecordsVersion,
  type SharedState,
  StateError,
} from './shared-state.ts';

/** How long a request waits for Redis before it fails. */
const commandTimeoutMs = 1_000;
/** Commands that may wait for Redis together, also those whose requests have failed already. */
const maxPending = 1_000;
/**
 * How long a command may stay unanswered before its connection is replaced. The idle timeout of a socket does not end it: what is written
 * counts as well, and records are asked for twice a second.
 */
const longestSilenceMs = 4_000;

/** A connection, and when each command was sent on it that has not been answered, by the monotonic clock: the oldest first. */
interface Used {
  readonly connection: RedisConnection;
  readonly sentAtMs: Set<{ readonly ms: number }>;
}

/** The state of all replicas that use the same Redis and the same prefix. */
export class RedisState implements SharedState {
  readonly isShared = true;
  readonly #settings: RedisSettings;
  readonly #prefix: string;
  /** Resolves once the first connection is open; `undefined` before the first command. */
  #connected: Promise<Used> | undefined;
  readonly #closed = new AbortController();
  #pending = 0;

  /**
   * The first command starts to connect, and connecting is retried until it succeeds.
   * @param prefix starts every key, so that other data in the same Redis stays apart
   */
  constructor(settings: RedisSettings, prefix: string) {
    this.#settings = settings;
    this.#prefix = prefix;
  }

  async useOnce(name: string, untilMs: number, nowMs: number): Promise<boolean> {
    const forMs = String(Math.max(1, Math.ceil(untilMs - nowMs)));
    const key = `${this.#prefix}used:${name}`;
    const own = randomUUID();
    const reply = await this.#ask(
      key,
      ['SET', key, own, 'PX', forMs, 'NX'],
      evaluating(deleteOwnScript, key, [own]),
    );
    return reply === 'OK';
  }

  async beginAttempt(name: string, limit: AttemptLimit, nowMs: number): Promise<boolean> {
    const values = [limit.maxFailures, limit.windowMs, nowMs];
    const key = this.#attemptsKey(name);
    const reply = await this.#ask(key, evaluating(beginAttemptScript, key, values), forgiving(key, nowMs));
    return reply === 1;
  }

  async forgiveAttempt(name: string, begunAtMs: number): Promise<void> {
    const key = this.#attemptsKey(name);
    await this.#ask(key, forgiving(key, begunAtMs));
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
    this.#closed.abort();
  }

  get #recordsKey(): string {
    return `${this.#prefix}records`;
  }

  #attemptsKey(name: string): string {
    return `${this.#prefix}attempts:${name}`;
  }

  #run(script: string, key: string, values: readonly (string | number)[]): Promise<unknown> {
    return this.#ask(key, evaluating(script, key, values));
  }

  /**
   * @param undo undoes a command that Redis may carry out after its request has failed. It is sent at once, on the same
   * connection: after the command, and before a repetition of the request.
   */
  async #ask(key: string, command: readonly string[], undo?: readonly string[]): Promise<unknown> {
    if (this.#pending >= maxPending) throw new StateError('too many requests wait for Redis');
    this.#connected ??= this.#connect();
    // A command that has not been sent yet, because a new master is being looked for, is never sent once its request has failed.
    const over = new AbortController();
    let sentOn: Used | undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new StateError('Redis did not answer in time'));
      // After a busy turn of the event loop, timers run before an answer that has arrived is read; an immediate runs after.
      timer = setTimeout(() => setImmediate(fail), commandTimeoutMs);
    });
    try {
      // Two steps, so that a command that timed out without a connection does not run once there is one.
      sentOn = await Promise.race([this.#connected, late]);
      return await Promise.race([this.#send(sentOn, key, command, over.signal), late]);
    } catch (cause) {
      over.abort();
      if (sentOn !== undefined) {
        if (undo !== undefined) this.#send(sentOn, key, undo).catch(() => undefined);
        this.#replaceSilent(sentOn);
      }
      if (cause instanceof StateError) throw cause;
      throw new StateError(`Redis: ${cause instanceof Error ? cause.message : 'failed'}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(): Promise<Used> {
    return { connection: await connectRedis(this.#settings, this.#closed.signal), sentAtMs: new Set() };
  }

  async #send(
    { connection, sentAtMs }: Used,
    key: string,
    command: readonly string[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    const sent = { ms: performance.now() };
    sentAtMs.add(sent);
    this.#pending += 1;
    try {
      return await connection.send(key, command, signal);
    } finally {
      sentAtMs.delete(sent);
      this.#pending -= 1;
    }
  }

  /** The next command connects anew. A Cluster asks its other nodes then, which may have replaced the one that is silent. */
  #replaceSilent({ connection, sentAtMs }: Used): void {
    const [oldest] = sentAtMs;
    if (oldest === undefined || performance.now() - oldest.ms < longestSilenceMs) return;
    // Once: what fails because of this is no silence of the next connection.
    sentAtMs.clear();
    this.#connected = undefined;
    connection.destroy();
  }
}

function evaluating(script: string, key: string, values: readonly (string | number)[]): readonly string[] {
  return ['EVAL', script, '1', key, ...values.map(String)];
}

function forgiving(key: string, begunAtMs: number): readonly string[] {
  return ['LREM', key, '1', String(begunAtMs)];
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
