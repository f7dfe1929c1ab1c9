import type { Authenticated } from '../authenticate/authenticate.ts';
import type { Caller } from '../authenticate/caller.ts';
import { flatCopy } from '../core/bytes.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { S3Request } from '../s3/operation.ts';
import { cut } from './cut.ts';
import type { Room } from './record-queue.ts';
import { stsParameters, stsResponse } from './sts-event.ts';

type Values = Readonly<Record<string, unknown>>;

/** What the stages of one request report for its audit record, beside the facts of its request record. */
export interface AuditFacts {
  readonly host: string | undefined;
  readonly caller: Caller | undefined;
  readonly authenticated: Pick<Authenticated, 'form' | 'region'> | undefined;
  readonly request: S3Request | undefined;
  /** Indexes of the items of a batch that were denied. */
  readonly deniedItems: readonly number[];
  /** The message of a denial; public text. */
  readonly denial: string | undefined;
  readonly parameters: Values | undefined;
  readonly response: ReturnType<typeof stsResponse>;
  readonly policyRevision: string;
}

/** A host name, of 253 characters at most, and a port. */
const maxHost = 260;

/** Where finished audit records go. */
export interface AuditWriter {
  /**
   * Reserves room for the record of a request that is about to be performed.
   * @param held the room that has been reserved before
   * @returns all of its room; `undefined` when the record cannot be kept
   */
  reserve(facts: AuditFacts, record: RequestRecord, held: Room | undefined): Room | undefined;
  /** Writes the record of a finished request, into the room that was reserved for it. */
  write(facts: AuditFacts, record: RequestRecord, held: Room | undefined): void;
}

/** Collects the audit facts of one request. Only while audit is on. */
export class RequestAudit {
  readonly #writer: AuditWriter;
  readonly #facts: { -readonly [Name in keyof AuditFacts]: AuditFacts[Name] };
  /** Reserved for the record. */
  #held: Room | undefined;

  constructor(writer: AuditWriter, policyRevision: string) {
    this.#writer = writer;
    this.#facts = {
      host: undefined,
      caller: undefined,
      authenticated: undefined,
      request: undefined,
      deniedItems: [],
      denial: undefined,
      parameters: undefined,
      response: null,
      policyRevision,
    };
  }

  /** Notes the head. */
  arrived(raw: RawRequest): void {
    const host = raw.headers.get('host');
    // In memory of its own: the head is not kept while an STS call waits for an identity provider.
    this.#facts.host = host && flatCopy(cut(host, maxHost));
  }

  /** True once it is known what an S3 request asks for. */
  get isAsked(): boolean {
    return this.#facts.request !== undefined;
  }

  /** Notes what an S3 request asks for. Nothing of it needs to be verified. */
  asks(request: S3Request): void {
    this.#facts.request = request;
  }

  /** Notes who calls, once the signature has been verified. */
  knows(caller: Caller, authenticated?: Pick<Authenticated, 'form' | 'region'>): void {
    this.#facts.caller = caller;
    this.#facts.authenticated = authenticated;
  }

  /** Notes the items of a batch that are denied. */
  deniedOf(items: readonly number[]): void {
    this.#facts.deniedItems = items;
  }

  /** Notes the public message of a denial. */
  denied(message: string): void {
    this.#facts.denial = message;
  }

  /** Notes the checked parameters of an STS action. Secrets among them are left out. */
  called(parameters: Values): void {
    this.#facts.parameters = stsParameters(parameters);
  }

  /** Notes the result of an STS action. Secrets in it are left out. */
  answered(result: Values): void {
    this.#facts.response = stsResponse(result);
  }

  /**
   * Reserves room for the record, where a request without one is refused. May be called again: only a batch has become longer.
   * @returns false when the record cannot be kept
   */
  reserve(record: RequestRecord): boolean {
    if (this.#held !== undefined && this.#facts.request?.batch === undefined) return true;
    const held = this.#writer.reserve(this.#facts, record, this.#held);
    if (held !== undefined) this.#held = held;
    return held !== undefined;
  }

  /** Writes the record. Called once, at the end. */
  write(record: RequestRecord): void {
    this.#writer.write(this.#facts, record, this.#held);
    this.#held = undefined;
  }
}
