import type { AnswerHead } from '../http-client/answer-head.ts';
import type { AnswerHandler, HttpExchange } from '../http-client/http-exchange.ts';
import type { HttpFault } from '../http-client/http-fault.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import { type Signing, type StoreTarget, signHead, storePath } from './outgoing-request.ts';
import { ownKeyFault, readStoreError } from './store-error.ts';
import type { Upstream } from './upstream.ts';

/** What one question to the store has shown. The words are from closed lists, and name no address and no key. */
export type StoreFinding =
  | { readonly outcome: 'accepted' }
  /** The store answers, and refuses the sidecar's own key. */
  | { readonly outcome: 'refused'; readonly cause: string }
  /** The store does not answer, or says that it is at fault. */
  | { readonly outcome: 'failed'; readonly cause: string };

/** An error document takes some hundred bytes. Of a list of buckets nothing is needed. */
const maxAnswerBytes = 16 * 1024;
/** A store that takes longer for an empty list is of no use to clients either. */
const deadlineMs = 5_000;
const notImplemented = 501;

/**
 * Asks the store for its list of buckets with the sidecar's own key, which needs no permission: to a key without it the store says
 * so, and that is an answer too. Repeats it once when the store has closed a kept-alive connection. Never rejects.
 */
export async function probeStore(
  upstream: Upstream,
  store: StoreTarget,
  signing: Signing,
): Promise<StoreFinding> {
  const parameters = [{ name: 'max-buckets', value: '1' }];
  const question = {
    method: 'GET',
    path: storePath('', ''),
    parameters,
    headers: [],
    payloadHash: emptySha256,
  };
  const ask = (isFresh: boolean): Promise<StoreFinding | 'stale'> => {
    const reader = new FindingReader();
    reader.begin(upstream.start({ head: signHead(question, store, signing), isFresh }, reader));
    return reader.finding;
  };
  const first = await ask(false);
  if (first !== 'stale') return first;
  const second = await ask(true);
  return second === 'stale' ? { outcome: 'failed', cause: 'reset' } : second;
}

/** Reads as much of an answer as it takes to judge it. */
class FindingReader implements AnswerHandler {
  /** Everything is copied. */
  readonly isHoldingData = false;
  readonly finding: Promise<StoreFinding | 'stale'>;
  #resolve!: (finding: StoreFinding | 'stale') => void;
  #exchange: HttpExchange | undefined;
  #timer: NodeJS.Timeout | undefined;
  #status = 0;
  #bytes = 0;
  readonly #pieces: Buffer[] = [];

  constructor() {
    this.finding = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
    this.#timer = setTimeout(() => this.#giveUp({ outcome: 'failed', cause: 'timeout' }), deadlineMs);
  }

  onHead({ status }: AnswerHead): void {
    this.#status = status;
  }

  onData(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes > maxAnswerBytes) this.#giveUp(findingOf(this.#status, undefined));
    else this.#pieces.push(Buffer.from(data));
  }

  onDrain(): void {
    // There is no body to write.
  }

  onEnd(): void {
    this.#settle(findingOf(this.#status, readStoreError(Buffer.concat(this.#pieces))?.code));
  }

  onFault({ isStale, reason }: HttpFault): void {
    this.#settle(isStale ? 'stale' : { outcome: 'failed', cause: reason });
  }

  #giveUp(finding: StoreFinding): void {
    this.#settle(finding);
    this.#exchange?.abort();
  }

  #settle(finding: StoreFinding | 'stale'): void {
    clearTimeout(this.#timer);
    this.#resolve(finding);
  }
}

function findingOf(status: number, code: string | undefined): StoreFinding {
  const refusal = ownKeyFault(code);
  if (refusal !== undefined) return { outcome: 'refused', cause: code ?? '' };
  if (status >= 500 && status !== notImplemented) return { outcome: 'failed', cause: `status ${status}` };
  // No code that an S3 store gives: whatever has answered in its place would refuse other requests too.
  if (status === 401 || (status === 403 && code === undefined))
    return { outcome: 'refused', cause: `status ${status}` };
  return { outcome: 'accepted' };
}
