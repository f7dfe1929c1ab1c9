import { connect, type Socket } from 'node:net';

/** Many connections of one attacker, opened and closed together. */
export class Swarm {
  readonly #host: string;
  readonly #port: number;
  readonly sockets: Socket[] = [];
  /** Everything received, by connection, up to a bound. */
  readonly answers: string[] = [];

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
  }

  /**
   * Opens a connection and writes to it at once. A connection that reads collects what it receives; one that does not
   * never takes a byte off the wire.
   */
  open(bytes: string | Buffer, reads = true): Socket {
    const index = this.sockets.length;
    this.answers.push('');
    const socket = connect({ host: this.#host, port: this.#port });
    socket.on('error', () => undefined);
    if (reads) {
      socket.setEncoding('latin1').on('data', (text: string) => {
        if ((this.answers[index]?.length ?? 0) < 10_000) this.answers[index] += text;
      });
    } else socket.pause();
    socket.write(bytes, 'latin1');
    this.sockets.push(socket);
    return socket;
  }

  /** Connections that the server has not closed. */
  get openCount(): number {
    return this.sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  }

  /** Ends every connection with a reset. */
  close(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }
}

/** Text in HTTP chunks of one byte each, the last chunk not included. */
export function inBytes(text: string): string {
  return text.replaceAll(/[\s\S]/g, (character) => `1\r\n${character}\r\n`);
}

/** The head of an STS form; a length of `undefined` announces HTTP chunks. */
export function stsHead(length: number | undefined, extra = ''): string {
  const framing = length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
  return `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n${extra}${framing}\r\n\r\n`;
}
