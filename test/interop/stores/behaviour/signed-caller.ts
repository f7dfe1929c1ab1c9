import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../../../src/core/clock.ts';
import type { WireRequest } from '../../../support/raw-requests.ts';
import { signWithSmithy, type TestCredentials } from '../../../support/smithy-signer.ts';

/** One call; `path` is percent-encoded, query values are not. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What was answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends signed calls as they are written, dots in paths included, to a store or to a sidecar. */
export class SignedCaller {
  readonly #url: URL;
  readonly #credentials: TestCredentials;

  constructor(url: string, credentials: TestCredentials) {
    this.#url = new URL(url);
    this.#credentials = credentials;
  }

  /** Sends one call, whatever the answer is. */
  async send(call: Call): Promise<Answered> {
    const { body = '' } = call;
    const wire = await this.#sign(call, { 'content-length': String(Buffer.byteLength(body)) });
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#url;
      const headers = wire.headers.flat();
      const sent = request({ hostname, port, method: wire.method, path: wire.target, headers }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Sends a call that must succeed. */
  async must(call: Call): Promise<Answered> {
    const answered = await this.send(call);
    if (answered.status < 300) return answered;
    throw new Error(`${call.method} ${call.path}: ${answered.status} ${answered.text.slice(0, 500)}`);
  }

  /** Opens a connection and sends the head of a call; the body is the caller's. */
  async open(call: Call): Promise<Socket> {
    const wire = await this.#sign(call, { connection: 'close' });
    const { hostname, port } = this.#url;
    const socket = connect({ host: hostname, port: Number(port) });
    const fields = wire.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`${wire.method} ${wire.target} HTTP/1.1\r\n${fields}\r\n`, 'latin1');
    return socket;
  }

  #sign(
    { method, path, query = {}, headers = {}, body = '' }: Call,
    more: Record<string, string>,
  ): Promise<WireRequest> {
    const digest = createHash('sha256').update(body).digest('hex');
    return signWithSmithy(
      {
        method,
        path,
        query,
        headers: { host: this.#url.host, 'x-amz-content-sha256': digest, ...more, ...headers },
      },
      this.#credentials,
      { nowMs: systemClock.now() },
    );
  }
}
