import type { Socket } from 'node:net';
import { OutboundFault } from './outbound-fault.ts';
import type { ProviderPace } from './provider-pace.ts';

/** Room for the head of an answer, interim ones, trailers and framing, beside the body and as much as it is long. */
const aroundBodyBytes: number = 64 * 1024;
/** The parser notices that its connection is closed between two pieces only, and makes an error for each header until then. */
const pieceBytes = 512;
/** Most bytes that are parsed before the connection waits for its turn. */
const turnBytes: number = 2 * 1024;

/** Most bytes of an answer whose body has as many, with everything around it. */
export function mostBytesFor(maxBytes: number): number {
  return 2 * maxBytes + aroundBodyBytes;
}

/**
 * Bounds what an answer on a connection may cost, whatever it consists of: undici limits neither interim answers nor extensions of chunks, and
 * took 0.4 s for one read of 64 KiB whose head is too long (7.30, 2026-11).
 * @param maxBytes of a body
 * @param pace shared by the connections of a provider
 */
export function boundAnswers(socket: Socket, maxBytes: number, pace: ProviderPace): void {
  const mostBytes = mostBytesFor(maxBytes);
  const read = socket.read.bind(socket);
  let written = 0;
  let ofAnswer = 0;
  let ofTurn = 0;
  const nextTurn = (): void => {
    ofTurn = 0;
    // Also where nothing is left: only a further read finds the end of the connection.
    if (!socket.destroyed) socket.emit('readable');
  };
  socket.read = (size?: number): unknown => {
    // The stream itself reads nothing, to have more fetched.
    if (size !== undefined) return read(size);
    if (socket.destroyed || ofTurn >= turnBytes) return null;
    const length = Math.min(socket.readableLength, pieceBytes);
    const piece: unknown = length === 0 ? read() : read(length);
    if (!Buffer.isBuffer(piece)) return piece;
    if (ofTurn === 0) pace.nextTurn(nextTurn);
    ofTurn += piece.length;
    // Each request is written as a whole before its answer is awaited.
    if (socket.bytesWritten !== written) ofAnswer = 0;
    written = socket.bytesWritten;
    ofAnswer += piece.length;
    if (ofAnswer <= mostBytes) return piece;
    socket.destroy(new OutboundFault('oversized', `answered with more than ${mostBytes} bytes`));
    return null;
  };
}
