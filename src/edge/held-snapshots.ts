import type { Socket } from 'node:net';
import { resetConnection } from '../core/reset-connection.ts';

/** Configurations that requests in progress may hold, besides the one in force. */
const maxEarlier = 8;

/**
 * Which snapshots requests in progress hold. A slow upload keeps the configuration with which it began, and has no end: with one that
 * begins before each reload, all configurations would stay in memory.
 */
export class HeldSnapshots<S extends object> {
  /** In the order in which they were first used. */
  readonly #sockets = new Map<S, Set<Socket>>();

  /** Notes a request that holds a snapshot. Calling the result ends that. */
  hold(snapshot: S, socket: Socket): () => void {
    let sockets = this.#sockets.get(snapshot);
    if (sockets === undefined) {
      sockets = new Set();
      this.#sockets.set(snapshot, sockets);
      this.#endOldest();
    }
    const held = sockets.add(socket);
    return () => {
      held.delete(socket);
      if (held.size === 0 && this.#sockets.get(snapshot) === held) this.#sockets.delete(snapshot);
    };
  }

  #endOldest(): void {
    for (const [snapshot, sockets] of this.#sockets) {
      if (this.#sockets.size <= maxEarlier + 1) return;
      this.#sockets.delete(snapshot);
      for (const socket of sockets) resetConnection(socket);
    }
  }
}
