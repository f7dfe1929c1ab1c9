import type { Authorized } from '../authorize/authorize-s3.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import {
  type OutgoingHead,
  type Signing,
  type StoreTarget,
  signHead,
  storePath,
} from './outgoing-request.ts';
import { readStoreError } from './store-error.ts';
import type { SmallAnswer } from './upstream.ts';

const maxAnswerBytes = 65_536;
const ranges: ReadonlySet<string> = new Set(['range', 'if-range']);

/** True for a status of HEAD that can mean that the store refused the sidecar's own key. */
export function isRefusal(status: number): boolean {
  return status === 400 || status === 403;
}

/**
 * Finds the error code of a refused HEAD, whose answer has no body, by a GET of one byte of the object or of one key of the
 * bucket. Returns `undefined` when that succeeds, or has no code either.
 *
 * @throws whatever `ask` throws
 */
export async function codeOfRefusedHead(
  { request }: Authorized,
  store: StoreTarget,
  signing: Signing,
  ask: (head: OutgoingHead, maxBytes: number) => Promise<SmallAnswer>,
): Promise<string | undefined> {
  const { bucket, key } = request;
  const isObject = key !== '';
  const parameters = [...request.parameters].map(([name, value]) => ({ name, value }));
  const headers = [...request.headers]
    .filter(([name]) => !ranges.has(name))
    .map(([name, value]) => ({ name, value }));
  if (isObject) headers.push({ name: 'range', value: 'bytes=0-0' });
  else parameters.push({ name: 'max-keys', value: '1' });
  const head = signHead(
    { method: 'GET', path: storePath(bucket, key), parameters, headers, payloadHash: emptySha256 },
    store,
    signing,
  );
  const { body } = await ask(head, maxAnswerBytes);
  return readStoreError(body)?.code;
}
