import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import { JsonError, parseJson } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import { collect } from '../forward/request-body.ts';
import type { Log } from '../observe/log.ts';
import { StateFault } from '../state/shared-state.ts';
import { ControlFault, type ControlFaultCode, controlFaults } from './control-fault.ts';
import type { RevocationControl } from './revocation-control.ts';

/** What the control listener is made of. */
export interface ControlParts {
  /** What has to be shown as a bearer token (RFC 6750). */
  readonly token: Secret;
  readonly revocations: RevocationControl;
  readonly log: Log;
}

interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const maxBodyBytes = 16_384;
const requestTimeoutMs = 10_000;
const maxConnections = 64;

/** The listener of operators: `GET` and `POST /revocations`, `DELETE /revocations/<id>`, in JSON. */
export function createControlServer(parts: ControlParts): Server {
  const options = { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs };
  const server = createServer(options, (message, response) => {
    void answer(message, parts)
      .catch((error: unknown) => refusal(error, parts.log))
      .then((result) => send(response, result))
      .catch(() => response.destroy());
  });
  server.maxConnections = maxConnections;
  return server;
}

async function answer(message: IncomingMessage, parts: ControlParts): Promise<ControlAnswer> {
  // Before anything else: a stranger learns nothing, not even what there is.
  if (!isAuthorized(message, parts.token)) throw new ControlFault('Unauthorized');
  const { revocations } = parts;
  const { method, url = '' } = message;
  if (url === '/revocations') {
    if (method === 'GET') return { status: 200, body: revocations.list() };
    if (method !== 'POST') throw new ControlFault('MethodNotAllowed');
    return { status: 201, body: await revocations.add(await readJson(message)) };
  }
  const [, id] = /^\/revocations\/([\w-]{1,64})$/.exec(url) ?? [];
  if (id === undefined) throw new ControlFault('NotFound');
  if (method !== 'DELETE') throw new ControlFault('MethodNotAllowed');
  return { status: 200, body: await revocations.remove(id) };
}

function isAuthorized({ headersDistinct }: IncomingMessage, token: Secret): boolean {
  const [value = '', ...others] = headersDistinct['authorization'] ?? [];
  const [, shown = ''] = /^bearer +(\S+)$/i.exec(value) ?? [];
  // Digests, so that neither content nor length shows in the time that it takes.
  return others.length === 0 && timingSafeEqual(digest(shown), digest(token.reveal()));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readJson(message: IncomingMessage): Promise<unknown> {
  const [contentType = ''] = (message.headers['content-type'] ?? '').split(';');
  if (contentType.trim().toLowerCase() !== 'application/json') throw new ControlFault('UnsupportedMediaType');
  try {
    return parseJson((await collect(message, maxBodyBytes)).toString('utf8'), { maxBytes: maxBodyBytes });
  } catch (error) {
    if (error instanceof JsonError) throw new ControlFault('InvalidJson', error.message);
    if (!(error instanceof BodyFault)) throw error;
    throw new ControlFault(error.reason === 'document_too_large' ? 'BodyTooLarge' : 'InvalidJson');
  }
}

function refusal(error: unknown, log: Log): ControlAnswer {
  if (error instanceof ControlFault) return errorAnswer(error.code, error.message);
  if (error instanceof StateFault) {
    log.error('control', 'shared state is not available', { cause: error.message });
    return errorAnswer('StateUnavailable');
  }
  log.error('control', 'answering failed', { cause: String(error) });
  return errorAnswer('InternalError');
}

function errorAnswer(code: ControlFaultCode, message?: string): ControlAnswer {
  const [status, text] = controlFaults[code];
  return { status, body: { error: { code, message: message ?? text } } };
}

function send(response: ServerResponse, { status, body }: ControlAnswer): void {
  const text = `${JSON.stringify(body, undefined, 2)}\n`;
  // A body that was not read to its end would be taken for the next request.
  if (!response.req.complete) response.setHeader('connection', 'close');
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
