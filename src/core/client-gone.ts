/** The client has disconnected. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** What tells whether a client still waits: its response. */
export interface WaitingClient {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/** For work that no client waits for. */
export const alwaysThere: WaitingClient = {
  destroyed: false,
  once: () => undefined,
  off: () => undefined,
};

/** @throws ClientGone when the client has left. */
export function requireClient({ destroyed }: WaitingClient): void {
  if (destroyed) throw new ClientGone();
}
