import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import { abandon } from '../core/lingering.ts';

/** Longest time that a body of a known caller may take that is read whole, in milliseconds. */
export const wholeBodyMs = 30_000;

/** A sender may be slow and send byte by byte for a while. Thousands of such pieces come from an attack. */
const fewPieces = 1024;
const leastAverageBytes = 16;

/**
 * Gives every piece of a body to `take` and resolves at its end. The message stays open where reading ends early: the
 * client is still to be answered. Pieces are taken as the parser finds them, since a stream that is iterated keeps an
 * object for each of them first.
 *
 * Rejects with what `take` throws, and with {@link BodyFault} `incomplete` when the client goes away, `idle` when the
 * body takes longer than `deadlineMs`, `fragmented` when it comes in thousands of tiny pieces; a {@link BodyFault} that is
 * emitted as an error of the message ends the reading with that fault.
 */
export function consumeBody(
  message: IncomingMessage,
  take: (piece: Buffer) => void,
  deadlineMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let pieces = 0;
    let bytes = 0;
    const deadline = setTimeout(() => stop(new BodyFault('idle')), deadlineMs);
    const stop = (fault: unknown): void => {
      clearTimeout(deadline);
      message.off('data', onData);
      message.off('end', onEnd);
      message.off('close', onClose);
      message.off('error', onError);
      if (fault === undefined) {
        resolve();
        return;
      }
      if (fault instanceof BodyFault && fault.reason === 'fragmented') abandon(message);
      else message.pause();
      reject(fault instanceof Error ? fault : new Error('reading the body failed', { cause: fault }));
    };
    const onData = (piece: Buffer): void => {
      pieces += 1;
      bytes += piece.length;
      try {
        if (pieces > fewPieces && bytes < pieces * leastAverageBytes) throw new BodyFault('fragmented');
        take(piece);
      } catch (fault) {
        stop(fault);
      }
    };
    const onEnd = (): void => stop(message.complete ? undefined : new BodyFault('incomplete'));
    const onClose = (): void => stop(new BodyFault('incomplete'));
    const onError = (error: unknown): void =>
      stop(error instanceof BodyFault ? error : new BodyFault('incomplete'));
    if (message.readableEnded || message.destroyed) {
      onEnd();
      return;
    }
    message.on('data', onData);
    message.on('end', onEnd);
    message.on('close', onClose);
    message.on('error', onError);
  });
}
