import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import { abandon } from '../core/lingering.ts';

/** How long an authenticated caller may take to send a body that is read whole, in milliseconds. */
export const wholeBodyMs = 30_000;

/** Stops reading after a fault. The message stays open, so that the client can be answered. */
export function stopReading(message: IncomingMessage, fault: unknown): void {
  if (fault instanceof BodyFault && fault.reason === 'fragmented') abandon(message);
  else message.pause();
}

/**
 * Passes every piece of a body to `take`, and resolves at its end. When reading ends early the message stays open, so
 * that the client can be answered. Pieces are taken as the parser finds them: an iterated stream would first queue an
 * object for each.
 *
 * @throws BodyFault `incomplete` when the client disconnects, `idle` after `deadlineMs`, and any that the message emits as its
 *   error
 * @throws whatever `take` throws
 */
export function consumeBody(
  message: IncomingMessage,
  take: (piece: Buffer) => void,
  deadlineMs: number,
): Promise<void> {
  const takeAll = (piece: Buffer): undefined => void take(piece);
  return consumeUntil(message, takeAll, deadlineMs);
}

/**
 * The same, but ends as soon as `take` returns what it leaves of a piece. The message is then paused; its next reader finds that, and all
 * that follows.
 */
export function consumeUntil(
  message: IncomingMessage,
  take: (piece: Buffer) => Buffer | undefined,
  deadlineMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
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
      stopReading(message, fault);
      reject(fault instanceof Error ? fault : new Error('reading the body failed', { cause: fault }));
    };
    const onData = (piece: Buffer): void => {
      try {
        const left = take(piece);
        if (left === undefined) return;
        message.pause();
        if (left.length > 0) message.unshift(left);
        stop(undefined);
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
    message.resume();
  });
}
