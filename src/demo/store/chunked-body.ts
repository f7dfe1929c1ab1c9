import { HeaderList } from '../../core/header-list.ts';
import { storeError } from './errors.ts';

/** An upload out of its framing: the object's bytes, and its trailer fields among the headers. */
export interface DecodedBody {
  readonly body: Buffer;
  readonly headers: HeaderList;
}

const minChunkBytes = 8192;
const lineEnd = '\r\n';

/**
 * Takes a whole aws-chunked body with unsigned chunks apart. The announced trailer joins the headers, so that its
 * checksum is verified and kept as if it had come there; the framing's own headers go. Throws
 * MissingContentLength, IncompleteBody, InvalidChunkSizeError, InvalidRequest, MalformedTrailerError.
 * Source: AWS "Transferring Payload in Multiple Chunks (Chunked Upload)".
 */
export function decodeChunkedBody(headers: HeaderList, wire: Buffer): DecodedBody {
  const declared = headers.get('x-amz-decoded-content-length');
  if (declared === undefined || !/^\d{1,15}$/.test(declared)) throw storeError('MissingContentLength');
  const announced = headers.get('x-amz-trailer')?.toLowerCase();
  const { pieces, trailers } = readChunks(wire);
  const body = Buffer.concat(pieces);
  if (body.length !== Number(declared)) throw storeError('IncompleteBody');
  const trailer = readTrailer(trailers);
  if (announced !== trailer?.name) throw storeError('MalformedTrailerError');
  const kept = [...headers].flatMap(withoutFraming);
  return { body, headers: new HeaderList(trailer === undefined ? kept : [...kept, trailer]) };
}

function readChunks(wire: Buffer): { readonly pieces: readonly Buffer[]; readonly trailers: string } {
  const pieces: Buffer[] = [];
  let position = 0;
  for (;;) {
    const end = wire.indexOf(lineEnd, position);
    const size = end < 0 ? undefined : readSize(wire.toString('latin1', position, end));
    if (size === undefined) throw storeError('IncompleteBody');
    position = end + lineEnd.length;
    if (size === 0) return { pieces, trailers: wire.toString('latin1', position) };
    if ((pieces.at(-1)?.length ?? minChunkBytes) < minChunkBytes) throw storeError('InvalidChunkSizeError');
    const next = position + size + lineEnd.length;
    if (wire.toString('latin1', position + size, next) !== lineEnd) throw storeError('IncompleteBody');
    pieces.push(wire.subarray(position, position + size));
    position = next;
  }
}

function readSize(line: string): number | undefined {
  return /^[0-9a-fA-F]{1,8}$/.test(line) ? Number.parseInt(line, 16) : undefined;
}

// One field at most: S3 knows no trailer but the checksum, and takes one checksum.
function readTrailer(text: string): { name: string; value: string } | undefined {
  const match = /^(?:([A-Za-z0-9-]+):[ \t]*([^\r\n]*?)[ \t]*\r\n)?(?:\r\n)?$/.exec(text);
  if (match === null) throw storeError('MalformedTrailerError');
  const [, name, value] = match;
  return name === undefined || value === undefined ? undefined : { name: name.toLowerCase(), value };
}

function withoutFraming(field: { name: string; value: string }): { name: string; value: string }[] {
  if (field.name !== 'content-encoding') return [field];
  const kept = field.value.split(',').filter((coding) => coding.trim().toLowerCase() !== 'aws-chunked');
  return kept.length === 0 ? [] : [{ name: field.name, value: kept.join(',').trim() }];
}
