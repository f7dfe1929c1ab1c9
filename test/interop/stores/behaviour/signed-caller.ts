import { createHash } from 'node:crypto';
import { systemClock } from '../../../../src/core/clock.ts';
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
  readonly headers: Headers;
  readonly text: string;
}

/** Sends signed calls as they are written, to a store or to a sidecar. */
export class SignedCaller {
  readonly #url: string;
  readonly #credentials: TestCredentials;

  constructor(url: string, credentials: TestCredentials) {
    this.#url = url;
    this.#credentials = credentials;
  }

  /** Sends one call, whatever it is answered. */
  async send({ method, path, query = {}, headers = {}, body = '' }: Call): Promise<Answered> {
    const { host } = new URL(this.#url);
    const digest = createHash('sha256').update(body).digest('hex');
    const wire = await signWithSmithy(
      { method, path, query, headers: { host, 'x-amz-content-sha256': digest, ...headers } },
      this.#credentials,
      { nowMs: systemClock.now() },
    );
    const takesBody = method === 'PUT' || method === 'POST';
    const response = await fetch(this.#url + wire.target, {
      method,
      headers: wire.headers.filter(([name]) => name !== 'host').map(([name, value]) => [name, value]),
      redirect: 'manual',
      ...(takesBody ? { body } : {}),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Sends a call that must succeed. */
  async must(call: Call): Promise<Answered> {
    const answered = await this.send(call);
    if (answered.status < 300) return answered;
    throw new Error(`${call.method} ${call.path}: ${answered.status} ${answered.text.slice(0, 500)}`);
  }
}
