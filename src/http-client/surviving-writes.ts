import type { Socket } from 'node:net';

/** Notified of writes. */
export interface WriteObserver {
  onWritten(): void;
  onWriteFailed(): void;
}

type Done = (error?: Error | null) => void;

/**
 * Keeps a socket open for reading when a write fails. A peer that refuses an upload early answers and closes, and further
 * writes are met with a reset. Node would then destroy the socket, and lose an answer that has arrived but was not read yet.
 * Bytes that are written afterwards are lost.
 */
export function surviveWriteErrors(socket: Socket, observer: WriteObserver): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const surviving =
    (done: Done): Done =>
    (error) => {
      if (error) observer.onWriteFailed();
      // `writableLength` counts the bytes until `done` is called.
      done();
      if (!error) observer.onWritten();
    };
  socket._write = (chunk: unknown, encoding, done) => write(chunk, encoding, surviving(done));
  if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, surviving(done));
}
