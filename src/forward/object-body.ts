import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import type { Reservation } from '../core/byte-budget.ts';
import type { HeaderList } from '../core/header-list.ts';
import { type AnnouncedTrailer, readAnnouncedTrailer } from '../sigv4/checksum-trailer.ts';
import { ChunkEncoder } from '../sigv4/chunk-encoder.ts';
import type { PayloadMode } from '../sigv4/payload-mode.ts';
import { hasTrailer, type VerifiablePayload } from '../sigv4/verifiable-payload.ts';
import { type BodyCheck, ChunkedCheck, PlainCheck } from './body-check.ts';
import { consumeBody, wholeBodyMs } from './consume-body.ts';
import { FormFileCheck } from './form-file.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { HeaderChecks } from './header-checks.ts';
import { declaredLength, parseLength } from './request-body.ts';
import { type BodyWriter, StreamedBody } from './streamed-body.ts';

/** AWS's limit for one PutObject or UploadPart. */
const maxObjectBytes = 5 * 1024 ** 3;

/** Objects up to this size are read whole and verified before the store is contacted. */
const maxBufferedBytes = 65_536;

const framingHeaders = ['x-amz-decoded-content-length', 'x-amz-trailer'];

/** How uploads with a checksum trailer are sent: in new chunks with the trailer, or without chunks and trailer. */
export type TrailerMode = 'reframe' | 'decode';

/** A body ready to be sent to the store. */
export interface OutgoingBody {
  /** Bytes on the wire. */
  readonly length: number;
  readonly content: Buffer | StreamedBody | undefined;
  /** Present when the bytes are aws-chunked. */
  readonly framing?: { readonly decodedLength: number; readonly trailerName: string };
}

/** The body of an upload, not yet read. */
export interface ArrivingBody {
  readonly message: IncomingMessage;
  readonly headers: HeaderList;
  /** The headers that are forwarded; those with a checksum of the body are verified. */
  readonly forwarded: ReadonlyMap<string, string>;
  readonly payload: VerifiablePayload;
  /** Accounts for a body that is read whole. */
  readonly reservation: Reservation;
  /** Sends `100 Continue` to a client that waits for it; called when the headers are valid. */
  readonly invite: () => void;
  /**
   * Checks the caller's session again; called when the whole body has been verified, before its last bytes are sent.
   * @throws AuthenticationFault when the session has expired or was revoked
   */
  readonly recheck: (body: 'whole' | 'streamed') => void;
}

/**
 * Prepares an object's bytes for the store. A small object is read and verified first. A larger one is streamed, and its
 * last bytes are held back until it has been verified, so that an invalid upload is never complete at the store. Faults of
 * a {@link StreamedBody} are passed to its observer.
 *
 * @throws BodyFault
 * @throws BudgetExhaustedError
 */
export async function prepareObjectBody(
  arriving: ArrivingBody,
  trailers: TrailerMode,
): Promise<OutgoingBody> {
  const { headers, payload } = arriving;
  if (payload.kind === 'unsigned-trailer' || payload.kind === 'signed-chunks')
    return prepareChunkedBody(arriving, trailers);
  // The payload mode declares no framing. The store would keep it as part of the object.
  if (framingHeaders.some((name) => headers.has(name))) throw new BodyFault('unexpected');
  const length = declaredLength(headers);
  const headerChecks = new HeaderChecks(arriving.forwarded);
  const check =
    payload.kind === 'form-file'
      ? new FormFileCheck(length, payload.delimiter, headerChecks)
      : new PlainCheck(length, payload, headerChecks);
  return { length, content: await read(arriving, length, plainWriter(check, length)) };
}

/**
 * Prepares an object's bytes for the store as they came, with their framing. Of an aws-chunked body only the length is verified here: its
 * chunks are signed with a key that only the store knows.
 *
 * @throws BodyFault
 * @throws BudgetExhaustedError
 */
export async function prepareUntouchedBody(
  arriving: Omit<ArrivingBody, 'payload'>,
  payload: PayloadMode,
): Promise<OutgoingBody> {
  if (payload.kind === 'digest' || payload.kind === 'unsigned')
    return prepareObjectBody({ ...arriving, payload }, 'decode');
  const length = declaredLength(arriving.headers);
  const check = new PlainCheck(length, { kind: 'unsigned' }, new HeaderChecks([]));
  return { length, content: await read(arriving, length, plainWriter(check, length)) };
}

async function prepareChunkedBody(arriving: ArrivingBody, trailers: TrailerMode): Promise<OutgoingBody> {
  const { headers, payload } = arriving;
  const lengths = headers.getAll('x-amz-decoded-content-length');
  if (lengths.length === 0) throw new BodyFault('length_missing');
  const decodedLength = parseLength(lengths);
  const trailer = hasTrailer(payload) ? readAnnouncedTrailer(headers) : undefined;
  if (trailer === undefined && headers.has('x-amz-trailer')) throw new BodyFault('unexpected');
  const seed = payload.kind === 'signed-chunks' ? payload.seed : undefined;
  const check = new ChunkedCheck({ decodedLength, trailer, seed }, new HeaderChecks(arriving.forwarded));
  if (trailer === undefined || trailers === 'decode') {
    const writer = plainWriter(check, decodedLength);
    return { length: decodedLength, content: await read(arriving, decodedLength, writer) };
  }
  const writer = reframingWriter(check, decodedLength, trailer);
  return {
    length: writer.wireLength,
    content: await read(arriving, decodedLength, writer),
    framing: { decodedLength, trailerName: trailer.name },
  };
}

function plainWriter(check: BodyCheck, wireLength: number): BodyWriter {
  return { check, write: (data) => [data], end: () => [], wireLength };
}

function reframingWriter(check: ChunkedCheck, decodedLength: number, trailer: AnnouncedTrailer): BodyWriter {
  const encoder = new ChunkEncoder(decodedLength, trailer);
  return {
    check,
    write: (data) => encoder.frame(data),
    end: () => [encoder.end(check.checksum)],
    wireLength: encoder.wireLength,
  };
}

async function read(
  { message, invite, reservation, recheck }: Omit<ArrivingBody, 'payload'>,
  objectLength: number,
  writer: BodyWriter,
): Promise<Buffer | StreamedBody> {
  if (objectLength > maxObjectBytes) throw new BodyFault('too_large');
  invite();
  if (objectLength > maxBufferedBytes) return new StreamedBody(message, writer, () => recheck('streamed'));
  const content = await readWhole(message, writer, reservation);
  recheck('whole');
  return content;
}

async function readWhole(
  message: IncomingMessage,
  { check, write, end, wireLength }: BodyWriter,
  reservation: Reservation,
): Promise<Buffer> {
  const kept = new GrowingBuffer(reservation, wireLength);
  const keep = (piece: Buffer): void => {
    if (!kept.push(piece)) throw new BodyFault('incomplete');
  };
  await consumeBody(
    message,
    (wire) => {
      for (const data of check.take(wire)) write(data).forEach(keep);
    },
    wholeBodyMs,
  );
  check.finish();
  end().forEach(keep);
  return kept.bytes();
}
