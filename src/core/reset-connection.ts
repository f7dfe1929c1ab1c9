import type { Socket } from 'node:net';

/**
 * Closes a connection at once: by a reset, so that the peer cannot hold it half open, or take it for an orderly end.
 *
 * While the end that this side has announced is on its way, libuv cannot reset (EINVAL), and Node would then leave the
 * descriptor open for good, without a `close` (Node 20 to 24). Such a connection is closed in order.
 */
export function resetConnection(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
