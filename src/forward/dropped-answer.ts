import type { AnswerHandler, HttpExchange } from '../http-client/http-exchange.ts';

/** How long a request goes on without its client. Stores take minutes to complete the upload of a large object. */
const maxAloneMs = 10 * 60_000;

/**
 * Lets a request go on without its answer. Nothing of what handled the answer is kept, since that holds the configuration
 * of the request: with a completion before each reload, all configurations stayed in memory.
 * @returns fulfilled when the request is over, in whatever way
 */
export function dropAnswer(exchange: HttpExchange): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      exchange.abort();
      resolve();
    }, maxAloneMs);
    const over = (): void => {
      clearTimeout(deadline);
      resolve();
    };
    const ignore = (): void => undefined;
    const handler: AnswerHandler = {
      isHoldingData: false,
      onDrain: ignore,
      onHead: ignore,
      onData: ignore,
      onEnd: over,
      onFault: over,
    };
    exchange.handOver(handler);
  });
}
