import type { Server } from 'node:http';
import type { ListenAddress } from '../config/settings.ts';
import { closeServer, listen } from '../edge/shutdown.ts';

/** A server and where it listens. */
export interface Listener {
  readonly server: Server;
  readonly address: ListenAddress;
}

/** Opens listeners in order and returns their URLs. If one cannot be opened, those before it are closed again. */
export async function openListeners(listeners: readonly Listener[]): Promise<readonly string[]> {
  const urls: string[] = [];
  for (const [index, { server, address }] of listeners.entries()) {
    try {
      const port = await listen(server, address.host, address.port);
      urls.push(`http://${urlHost(address.host)}:${port}`);
    } catch (error) {
      await Promise.all(listeners.slice(0, index).map((open) => closeServer(open.server, 0)));
      throw error;
    }
  }
  return urls;
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
