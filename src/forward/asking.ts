import type { HeaderField } from '../core/header-list.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import { UpstreamFault } from './faults.ts';
import {
  type OutgoingHead,
  type Signing,
  type StoreTarget,
  signHead,
  storePath,
} from './outgoing-request.ts';
import type { SmallAnswer } from './upstream.ts';

/** What it takes to ask the store something with its own key. */
export interface Asking {
  readonly store: StoreTarget;
  readonly signing: Signing;
  readonly ask: (head: OutgoingHead, maxBytes: number) => Promise<SmallAnswer>;
}

/** A read of a bucket, or of an object when `key` is not empty. */
export interface Question {
  readonly method: 'GET' | 'HEAD';
  readonly bucket: string;
  readonly key: string;
  readonly parameters?: readonly { readonly name: string; readonly value: string }[];
  readonly headers?: readonly HeaderField[];
}

/** The fault for an answer that does not tell. */
export function unclearAnswer(status: number, subject: string): UpstreamFault {
  return new UpstreamFault('protocol', `the store answered ${status} when it was asked for ${subject}`);
}

const maxAnswerBytes = 1024 * 1024;

/** Asks the store, and reads the whole answer. */
export function askStore(
  { store, signing, ask }: Asking,
  { method, bucket, key, parameters = [], headers = [] }: Question,
): Promise<SmallAnswer> {
  const path = storePath(bucket, key);
  return ask(
    signHead({ method, path, parameters, headers, payloadHash: emptySha256 }, store, signing),
    maxAnswerBytes,
  );
}
