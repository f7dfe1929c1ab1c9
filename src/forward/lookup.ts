import type {
  LookupAsker,
  LookupSubject,
  LookupWarrant,
  StoreLookup,
  StoreTag,
} from '../authorize/store-lookup.ts';
import type { ByteBudget, Reservation } from '../core/byte-budget.ts';
import { flatCopy } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import { nextTurn } from '../core/turns.ts';
import { childOf, childText, readXml, type XmlElement } from '../core/xml.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import { unclearAnswer } from './asking.ts';
import { UpstreamFault } from './faults.ts';
import { type StoreTarget, signHead, storePath } from './outgoing-request.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';
import { type SmallAnswer, toUpstreamFault, type Upstream } from './upstream.ts';

/** Room for the fifty tags of a bucket with every character escaped. An object has at most ten. */
const maxAnswerBytes = 256 * 1024;
/** Longer than ten tags are, unless most of their characters are escaped. */
const longAnswer = 8 * 1024;

/** Codes for missing tags. */
const untagged: ReadonlySet<string> = new Set(['NoSuchBucket', 'NoSuchKey', 'NoSuchTagSet']);

/**
 * The same for a request with a `versionId`. NoSuchVersion is not one of them: versitygw 1.8 answers it for the tags of
 * `versionId=null`, and still serves the object.
 */
const untaggedVersion: ReadonlySet<string> = new Set(['NoSuchBucket', 'NoSuchTagSet']);

/** What a look-up needs. */
export interface LookupParts {
  readonly upstream: Upstream;
  readonly store: StoreTarget;
  readonly signingKeys: SigningKeyCache;
  readonly clock: Clock;
  readonly budget: ByteBudget;
}

/** Fetches the tags that a decision depends on, with the store's key. Every look-up needs a {@link LookupWarrant}. */
export class TagLookup implements StoreLookup {
  readonly #upstream: Upstream;
  readonly #store: StoreTarget;
  readonly #signingKeys: SigningKeyCache;
  readonly #clock: Clock;
  readonly #budget: ByteBudget;

  constructor({ upstream, store, signingKeys, clock, budget }: LookupParts) {
    this.#upstream = upstream;
    this.#store = store;
    this.#signingKeys = signingKeys;
    this.#clock = clock;
    this.#budget = budget;
  }

  /**
   * Calls GetObjectTagging or GetBucketTagging. Returns `undefined` when the store refuses, or does not implement tags.
   *
   * @throws UpstreamFault when the store cannot be reached, or fails
   * @throws BudgetExhaustedError when there is no room for its answer
   * @throws ClientGoneError when the client leaves
   */
  async tags(
    { subject }: LookupWarrant,
    { owner, signal, traceHeaders }: LookupAsker,
  ): Promise<readonly StoreTag[] | undefined> {
    const reservation = this.#budget.reserve(owner);
    const ask = (request: StoreRequest): Promise<SmallAnswer> =>
      this.#ask(request, traceHeaders, reservation, signal);
    try {
      const answer = await ask(tagsOf(subject));
      if (answer.status === methodNotAllowed && (await isDeleted(subject, ask))) return [];
      // Reading the longest takes some five milliseconds, and many requests may ask for the same tags together.
      if (answer.body.length > longAnswer) await nextTurn(owner);
      return readTags(answer, namesVersion(subject) ? untaggedVersion : untagged);
    } catch (error) {
      throw toUpstreamFault(error);
    } finally {
      reservation.release();
    }
  }

  #ask(
    request: StoreRequest,
    traceHeaders: readonly string[],
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<SmallAnswer> {
    const signing = { keys: this.#signingKeys, nowMs: this.#clock.now() };
    const head = signHead(request, this.#store, signing);
    head.headers.push(...traceHeaders);
    return this.#upstream.fetchSmall(head, maxAnswerBytes, reservation, signal);
  }
}

// versitygw 1.8 answers 405 for the tags of an object whose newest version is a delete marker (observed on 2026-11-29).
async function isDeleted(
  subject: LookupSubject,
  ask: (request: StoreRequest) => Promise<SmallAnswer>,
): Promise<boolean> {
  if (subject.kind !== 'object-tags' || namesVersion(subject)) return false;
  const path = storePath(subject.bucket, subject.key);
  const { status } = await ask({ ...tagsOf(subject), method: 'HEAD', path, parameters: [] });
  return status === notFound;
}

function namesVersion(subject: LookupSubject): boolean {
  return subject.kind === 'object-tags' && subject.versionId !== undefined;
}

type StoreRequest = Parameters<typeof signHead>[0];

function tagsOf(subject: LookupSubject): StoreRequest {
  const isObject = subject.kind === 'object-tags';
  const parameters = [{ name: 'tagging', value: '' }];
  if (isObject && subject.versionId !== undefined)
    parameters.push({ name: 'versionId', value: subject.versionId });
  return {
    method: 'GET',
    path: storePath(subject.bucket, isObject ? subject.key : ''),
    parameters,
    headers: [],
    payloadHash: emptySha256,
  };
}

const notFound = 404;
const methodNotAllowed = 405;
const notImplemented = 501;

function readTags(
  { status, body }: SmallAnswer,
  absences: ReadonlySet<string>,
): readonly StoreTag[] | undefined {
  if (status === 200) return parseTags(body);
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (status === notFound && code !== undefined && absences.has(code)) return [];
  if (status < 500 || status === notImplemented) return undefined;
  throw unclearAnswer(status, 'tags');
}

function parseTags(body: Uint8Array): StoreTag[] {
  const tags = childOf(readTagging(body), 'TagSet')?.children;
  if (tags === undefined) throw unreadable();
  return tags.map((tag) => {
    const key = childText(tag, 'Key');
    if (tag.name !== 'Tag' || key === undefined) throw unreadable();
    return [flatCopy(key), flatCopy(childText(tag, 'Value') ?? '')];
  });
}

function readTagging(body: Uint8Array): XmlElement {
  try {
    const root = readXml(body, { maxBytes: maxAnswerBytes, maxDepth: 4 });
    if (root.name === 'Tagging') return root;
  } catch (cause) {
    throw unreadable(cause);
  }
  throw unreadable();
}

function unreadable(cause?: unknown): UpstreamFault {
  return new UpstreamFault('protocol', 'the store answered no readable tags', cause);
}
