import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import type { Reservation } from '../core/byte-budget.ts';
import type { HeaderList } from '../core/header-list.ts';
import { type AnnouncedTrailer, readAnnouncedTrailer } from '../sigv4/checksum-trailer.ts';
import { ChunkEncoder } from '../sigv4/chunk-encoder.ts';
import type { PayloadMode } from '../sigv4/payload-mode.ts';
import { type BodyCheck, ChunkedCheck, PlainCheck } from './body-check.ts';
import { consumeBody, wholeBodyMs } from './consume-body.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { HeaderChecks } from './header-checks.ts';
import { declaredLength, parseLength } from './request-body.ts';
import { type BodyWriter, StreamedBody } from './streamed-body.ts';

/** AWS's limit for one PutObject or UploadPart. */
const maxObjectBytes = 5 * 1024 ** 3;

/** Objects up to this size are read and verified before the store is contacted at all. */
const maxBufferedBytes = 65_536;

const framingHeaders = ['x-amz-decoded-content-length', 'x-amz-trailer'];

/** How checksum trailers are sent to the store: in chunks of our own with the trailer, or not at all. */
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
  /** The headers that go on to the store: those of them that tell of the body are verified. */
  readonly forwarded: ReadonlyMap<string, string>;
  readonly payload: PayloadMode;
  /** Pays for a body that is read whole. */
  readonly reservation: Reservation;
  /** Tells a client that waits with `Expect: 100-continue` to send; called once the head has been found right. */
  readonly invite: () => void;
  /**
   * Called when all of a body has arrived and was found right, before its last bytes go to the store. Throws when the
   * caller's session does not hold any more.
   */
  readonly recheck: (body: 'whole' | 'streamed') => void;
}

/**
 * Prepares an object's bytes for the store. Small objects are read and verified first; larger ones are streamed,
 * the last bytes held back until everything has been verified, so that a wrong upload is never complete at the
 * store. Rejects with {@link BodyFault} and {@link BudgetExhausted}; {@link StreamedBody} tells its observer.
 */
export async function prepareObjectBody(
  arriving: ArrivingBody,
  trailers: TrailerMode,
): Promise<OutgoingBody> {
  const { headers, payload } = arriving;
  if (payload.kind === 'unsigned-trailer') return prepareChunkedBody(arriving, trailers);
  // Framing that the signature does not speak of would be stored inside the object.
  if (framingHeaders.some((name) => headers.has(name))) throw new BodyFault('unexpected');
  const length = declaredLength(headers);
  const check = new PlainCheck(length, payload, new HeaderChecks(arriving.forwarded));
  return { length, content: await read(arriving, length, plainWriter(check, length)) };
}

async function prepareChunkedBody(arriving: ArrivingBody, trailers: TrailerMode): Promise<OutgoingBody> {
  const lengths = arriving.headers.getAll('x-amz-decoded-content-length');
  if (lengths.length === 0) throw new BodyFault('length_missing');
  const decodedLength = parseLength(lengths);
  const trailer = readAnnouncedTrailer(arriving.headers);
  const check = new ChunkedCheck(decodedLength, trailer, new HeaderChecks(arriving.forwarded));
  if (trailers === 'decode') {
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
  { message, invite, reservation, recheck }: ArrivingBody,
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
