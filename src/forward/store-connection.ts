import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher, errors } from 'undici';

/** Receives an answer, and can be told to go on when it has asked for a pause. */
export interface AnswerReader extends Dispatcher.DispatchHandler {
  /** Ends a pause. */
  readOn(): void;
}

/** A request whose answer is read with pauses. */
export interface PausedRequest extends Dispatcher.DispatchOptions {
  readonly reader: AnswerReader;
}

/**
 * One connection to the store, which may end it while a slow client has the answer paused. undici 7 does not expect
 * that: it fails an assertion outside of any request, which ends the process (nodejs/undici#5360; 8.6, which is right,
 * needs Node 22). So the reader reads on first, and a reset goes by a name that undici does not treat apart.
 */
export class StoreConnection extends Client {
  #reader: AnswerReader | undefined;

  constructor(origin: URL, options: Omit<Client.Options, 'connect'>, connector: buildConnector.connector) {
    const connect: buildConnector.connector = (target, callback) =>
      connector(target, (...connected) => {
        const [, socket] = connected;
        if (socket) this.#watch(socket);
        callback(...connected);
      });
    super(origin, { ...options, connect });
  }

  override dispatch(
    request: Dispatcher.DispatchOptions | PausedRequest,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    this.#reader = 'reader' in request ? request.reader : undefined;
    return super.dispatch(request, handler);
  }

  #watch(socket: Socket): void {
    // Comes before undici's own listener, which is added later. Everything has been read then but what is paused.
    socket.on('end', () => this.#reader?.readOn());
    const destroy = socket.destroy.bind(socket);
    socket.destroy = (error) =>
      destroy(isReset(error) ? new errors.SocketError('reset by the store') : error);
  }
}

function isReset(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && error.code === 'ECONNRESET';
}
