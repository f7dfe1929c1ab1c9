import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { isMapping } from '../../../src/core/mapping.ts';
import type { SdkCredentials } from '../../support/sdk.ts';

/** A catalog that hands out other credentials than the one behind it. */
export interface VendingCatalog {
  readonly uri: string;
  stop(): Promise<void>;
}

/**
 * Starts a REST catalog in front of another one. In the answers that hold the credentials of a table, it puts those that
 * `vend` makes for the location of that table, so that engines meet what a catalog that is not here would hand them.
 * @param behind the URI of the catalog that keeps the tables
 */
export async function startVendingCatalog(
  behind: string,
  vend: (location: string) => Promise<Required<SdkCredentials>>,
): Promise<VendingCatalog> {
  const server = createServer((request, response) => {
    pass(request, response).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ error: { message: String(error), code: 500 } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const uri = `http://127.0.0.1:${port}/iceberg/`;

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { method = 'GET', url = '' } = request;
    const answer = await fetch(new URL(url, behind), {
      method,
      headers: headersOf(request),
      ...(body.length === 0 ? {} : { body }),
    });
    // The catalog tells its clients where it is.
    const text = (await answer.text()).replaceAll(behind, uri);
    const type = answer.headers.get('content-type');
    response.writeHead(answer.status, type === null ? {} : { 'content-type': type });
    response.end(await withCredentials(text));
  }

  async function withCredentials(text: string): Promise<string> {
    const read: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
    if (!isMapping(read) || !isMapping(read['config']) || !isMapping(read['metadata'])) return text;
    const { accessKeyId, secretAccessKey, sessionToken } = await vend(String(read['metadata']['location']));
    const keys = {
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      's3.session-token': sessionToken,
    };
    // In the text: ids of snapshots are numbers that JavaScript would round.
    return Object.entries(keys).reduce((changed, [name, value]) => {
      const written = new RegExp(`("${name}"\\s*:\\s*)"[^"]*"`);
      if (!written.test(changed)) throw new Error(`the catalog vends no ${name}`);
      return changed.replace(written, (_, before: string) => `${before}"${value}"`);
    }, text);
  }

  return {
    uri,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The headers that mean something to a catalog. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const passed = ['accept', 'content-type', 'x-iceberg-access-delegation'];
  return Object.fromEntries(
    passed.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])),
  );
}
