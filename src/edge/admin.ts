import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What the admin listener shows. */
export interface AdminSources {
  /** False before start-up has finished and while draining. */
  readonly isReady: () => boolean;
  readonly renderMetrics: () => Promise<{ body: string; contentType: string }>;
}

/** The admin listener: `/livez`, `/readyz`, `/metrics`. It never answers S3 or STS. */
export function createAdminServer(sources: AdminSources): Server {
  return createServer((message, response) => {
    void answer(message, response, sources).catch(() => response.destroy());
  });
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  sources: AdminSources,
): Promise<void> {
  if (message.method !== 'GET' && message.method !== 'HEAD') {
    send(response, 405, 'method not allowed\n');
    return;
  }
  switch ((message.url ?? '').replace(/\?.*$/s, '')) {
    case '/livez':
      send(response, 200, 'ok\n');
      return;
    case '/readyz':
      if (sources.isReady()) send(response, 200, 'ok\n');
      else send(response, 503, 'not ready\n');
      return;
    case '/metrics': {
      const { body, contentType } = await sources.renderMetrics();
      send(response, 200, body, contentType);
      return;
    }
    default:
      send(response, 404, 'not found\n');
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
