import type { Socket } from 'node:net';

/** The reading of a connection, which stays paused although Node resumes it. */
export class PausableReading {
  readonly #socket: Socket;
  #isPaused = false;
  #isWatched = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    if (!this.#isWatched) {
      this.#isWatched = true;
      // Node resumes the socket after each message that it has parsed, and after an answer that had to wait for the client.
      this.#socket.on('resume', () => {
        if (this.#isPaused) this.#socket.pause();
      });
    }
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }
}
