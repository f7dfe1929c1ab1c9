import type { IncomingMessage } from 'node:http';
import type { BodyFault } from '../core/body-fault.ts';

const stopped = new WeakSet<IncomingMessage>();

/**
 * Ends the reading of a body with a fault, at once or as soon as it begins. May be called again for the same body: the
 * parser reports an error for each further read.
 */
export function stopReading(message: IncomingMessage, fault: BodyFault): void {
  if (message.listenerCount('error') > 0) {
    message.emit('error', fault);
    return;
  }
  if (stopped.has(message)) return;
  stopped.add(message);
  message.on('newListener', (event) => {
    if (event === 'error') setImmediate(() => stopReadingNow(message, fault));
  });
}

function stopReadingNow(message: IncomingMessage, fault: BodyFault): void {
  if (message.listenerCount('error') > 0) message.emit('error', fault);
}
