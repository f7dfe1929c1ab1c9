import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Connections that servers of this process accept on one port, as they see them. */
export interface AcceptedSockets {
  /** In the order in which they came; those that have closed stay. */
  readonly sockets: readonly Socket[];
  /** Stops recording them. */
  stop(): void;
}

/** Records every connection that is accepted on a port from now on. */
export function acceptedOn(port: number): AcceptedSockets {
  const sockets: Socket[] = [];
  const note = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort === port) sockets.push(socket);
  };
  subscribe('net.server.socket', note);
  return { sockets, stop: () => void unsubscribe('net.server.socket', note) };
}
