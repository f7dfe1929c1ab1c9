/*
 * This folder owns the audit trail.
 * In: the facts of one request, from the stages that learn them. Out: one record in CloudTrail's form, to every sink.
 * A sink keeps records in a bounded queue, and counts each one that it delivers or loses.
 * It never holds a secret: what is recorded is chosen by name.
 * It never decides a request. It says whether the record of one could be kept, and the edge refuses the request if not.
 */

import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { strangers } from '../core/turns.ts';
import { Complaints, type ReportsTo } from './complaints.ts';
import type { Destination } from './destination.ts';
import { EventIds } from './event-ids.ts';
import type { Room } from './record-queue.ts';
import { recordText } from './record-text.ts';
import { type AuditAccount, auditRecordOf, roomFor } from './render.ts';
import { type AuditFacts, type AuditWriter, RequestAudit } from './request-audit.ts';
import { Sink, type SinkState } from './sink.ts';

export { SinkError } from './destination.ts';

/** What the audit trail is made of. */
export interface AuditParts {
  readonly destinations: readonly Destination[];
  /** Bytes of records that may wait for each sink. */
  readonly maxQueuedBytes: number;
  /** Requests whose record cannot be kept are refused. */
  readonly failClosed: boolean;
  /** Of the configuration in force. */
  readonly account: () => AuditAccount;
  /** Identifies the policies in force. */
  readonly policyRevision: () => string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly reports: ReportsTo;
}

/** The audit trail: opened once, stopped once. */
export class Audit implements AuditWriter {
  readonly #parts: AuditParts;
  readonly #sinks: readonly Sink[];
  readonly #complaints: Complaints;
  readonly #eventIds: EventIds;

  constructor(parts: AuditParts) {
    const { destinations, maxQueuedBytes, randomness } = parts;
    this.#parts = parts;
    this.#complaints = new Complaints(parts.reports);
    this.#eventIds = new EventIds(randomness);
    const jitter = (): number => (randomness.bytes(1)[0] ?? 0) / 255;
    this.#sinks = destinations.map(
      (destination) => new Sink({ destination, maxQueuedBytes, reporter: this.#complaints, jitter }),
    );
  }

  /**
   * Opens every sink.
   * @throws SinkError for a file that cannot be written to
   */
  async open(): Promise<void> {
    for (const sink of this.#sinks) await sink.open();
  }

  /** How each sink is. */
  get sinks(): readonly SinkState[] {
    return this.#sinks.map(({ state }) => state);
  }

  /** Begins to collect the facts of one request. */
  begin(): RequestAudit {
    return new RequestAudit(this, this.#parts.policyRevision());
  }

  reserve(facts: AuditFacts, record: RequestRecord, held: Room | undefined): Room | undefined {
    const room = held ?? noRoom(facts, record);
    if (!this.#parts.failClosed) return room;
    const { holder, bytes } = room;
    const wanted = roomFor(Buffer.byteLength(this.#lineOf(facts, record, '')), facts, record);
    if (wanted <= bytes) return room;
    return this.#reserveInAll(holder, wanted - bytes) ? { holder, bytes: wanted } : undefined;
  }

  write(facts: AuditFacts, record: RequestRecord, held: Room | undefined): void {
    const room = held ?? noRoom(facts, record);
    let text: string;
    try {
      text = this.#lineOf(facts, record, this.#eventIds.next());
    } catch (error) {
      for (const sink of this.#sinks) sink.lose(room, error instanceof Error ? error.name : 'unknown error');
      return;
    }
    const line = { text, bytes: Buffer.byteLength(text), holder: room.holder };
    for (const sink of this.#sinks) sink.add(line, room.bytes);
  }

  /** Delivers what is left, until the deadline, and closes every sink. */
  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.stop(deadlineMs)));
    this.#complaints.flush();
  }

  #reserveInAll(holder: string, bytes: number): boolean {
    for (const [index, sink] of this.#sinks.entries()) {
      if (sink.reserve(holder, bytes)) continue;
      for (const earlier of this.#sinks.slice(0, index)) earlier.reserve(holder, -bytes);
      return false;
    }
    return true;
  }

  #lineOf(facts: AuditFacts, record: RequestRecord, eventId: string): string {
    const { account, clock } = this.#parts;
    return recordText(auditRecordOf(facts, record, { account: account(), eventId, nowMs: clock.now() }));
  }
}

/**
 * No room yet, with the holder of what a request reserves: the user or role, whose sessions share, or the identity provider whose proof
 * was verified. Strangers cannot be told apart.
 */
function noRoom({ caller }: AuditFacts, { federatedUser, identityProvider }: RequestRecord): Room {
  const unsigned = federatedUser === undefined ? strangers : `identity provider ${identityProvider}`;
  return { holder: caller?.entity.arn ?? unsigned, bytes: 0 };
}
