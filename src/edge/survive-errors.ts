import type { Socket } from 'node:net';

/**
 * Keeps an error of a connection from ending the process. Node's HTTP server listens for it too, but not any more once it has
 * taken a head for an upgrade.
 */
export function survive(socket: Socket): void {
  socket.on('error', ignore);
}

const ignore = (): void => undefined;
