import type { IncomingMessage, ServerResponse } from 'node:http';
import { startLocalServer } from './identity-provider.ts';

/** One question as it reached the webhook. */
export interface WebhookQuestion {
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
  readonly contentLength: string | undefined;
  readonly body: string;
}

/** A webhook as MinIO documents its identity plugin. */
export interface TestWebhook {
  readonly url: string;
  readonly questions: WebhookQuestion[];
  /** Replaces how the server answers; `undefined` goes back to normal. */
  answerWith(listener: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined): void;
  stop(): Promise<void>;
}

const users: Readonly<Record<string, readonly [user: string, maxValiditySeconds: number]>> = {
  aaa: ['Alice', 3600],
  bbb: ['Bob', 900],
  long: ['Lena', 31_536_000],
};

/** Starts a webhook that knows the tokens `aaa` (Alice, an hour), `bbb` (Bob, 15 minutes) and `long` (Lena, a year). */
export async function startWebhook(tls = false): Promise<TestWebhook> {
  const questions: WebhookQuestion[] = [];
  let override: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  const server = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: target = '', headers } = request;
      if (method !== 'HEAD') {
        questions.push({
          method,
          target,
          authorization: headers.authorization,
          contentLength: headers['content-length'],
          body: Buffer.concat(chunks).toString(),
        });
      }
      if (override?.(request, response) === true) return;
      const token = new URL(target, 'http://webhook').searchParams.get('token') ?? '';
      const [user, maxValiditySeconds] = users[token] ?? [];
      if (user === undefined) answer(response, 403, { reason: 'Invalid token' });
      else answer(response, 200, { user, maxValiditySeconds, claims: { team: 'blue' } });
    });
  }, tls);
  return {
    url: server.url,
    questions,
    answerWith: (listener) => {
      override = listener;
    },
    stop: server.close,
  };
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
