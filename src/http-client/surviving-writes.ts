import type { Socket } from 'node:net';

/** Told of what is written. */
export interface WriteObserver {
  onWritten(): void;
  onWriteFailed(): void;
}

type Done = (error?: Error | null) => void;

/**
 * Keeps a socket open for reading when writing fails. A peer that refuses an upload early answers, closes and so resets
 * the connection under our writes; Node would destroy the socket for that, and with it the answer that has arrived but
 * was not read yet. Bytes written afterwards go nowhere.
 */
export function surviveWriteErrors(socket: Socket, observer: WriteObserver): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const surviving =
    (done: Done): Done =>
    (error) => {
      if (error) observer.onWriteFailed();
      // Until then it counts as not yet written.
      done();
      if (!error) observer.onWritten();
    };
  socket._write = (chunk: unknown, encoding, done) => write(chunk, encoding, surviving(done));
  if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, surviving(done));
}
