import { ClientGoneError, requireClient, type WaitingClient } from '../core/client-gone.ts';

/** Fewer than the connections that one origin may have. */
const maxAtOnce = 16;

/**
 * Questions to the API server: so many at once, the others wait in line. A client that leaves gives up its place in line, so what
 * waits is bounded by the open connections, each of which ends when it has waited too long. A question that was asked goes on.
 */
export class QuestionLine {
  readonly #waiting = new Set<() => void>();
  #asked = 0;

  /**
   * Resolves when a question may be asked. {@link QuestionLine.leave} is to be called after it.
   * @throws ClientGoneError when the client has left
   */
  async enter(client: WaitingClient): Promise<void> {
    requireClient(client);
    if (this.#asked < maxAtOnce) this.#asked += 1;
    else await this.#wait(client);
  }

  /** The question has been answered, or has failed: the next one has its turn. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#asked -= 1;
    else next();
  }

  #wait(client: WaitingClient): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        client.off('close', giveUp);
        this.#waiting.delete(enter);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.delete(enter);
        reject(new ClientGoneError());
      };
      client.once('close', giveUp);
      this.#waiting.add(enter);
    });
  }
}
