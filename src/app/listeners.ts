import type { Server } from 'node:http';
import type { ListenAddress } from '../config/settings.ts';
import { closeServer, listen } from '../edge/shutdown.ts';
import type { ListenerTls } from '../tls/listener-tls.ts';

/** A server and where it listens. */
export interface Listener {
  readonly server: Server;
  readonly address: ListenAddress;
  readonly tls?: ListenerTls | undefined;
}

/**
 * Opens listeners in order and returns their URLs, `undefined` for one that is off. If one cannot be opened, those before it are
 * closed again.
 */
export async function openListeners(
  listeners: readonly (Listener | undefined)[],
): Promise<readonly (string | undefined)[]> {
  const urls: (string | undefined)[] = [];
  for (const [index, listener] of listeners.entries()) {
    try {
      urls.push(listener && (await open(listener)));
    } catch (error) {
      const opened = listeners.slice(0, index).filter((one) => one !== undefined);
      await Promise.all(opened.map(({ server }) => closeServer(server, 0)));
      throw error;
    }
  }
  return urls;
}

async function open({ server, address: { host, port }, tls }: Listener): Promise<string> {
  return `${tls === undefined ? 'http' : 'https'}://${urlHost(host)}:${await listen(server, host, port)}`;
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
