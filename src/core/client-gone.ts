/** The client has disconnected. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
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

/** @throws ClientGoneError when the client has left. */
export function requireClient({ destroyed }: WaitingClient): void {
  if (destroyed) throw new ClientGoneError();
}
