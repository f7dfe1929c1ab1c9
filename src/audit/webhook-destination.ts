import { type Destination, SinkError } from './destination.ts';

/** Sends one JSON text to a collector. */
export type PostText = (json: string) => Promise<
  /** 2xx. The answer is JSON that was read, or `undefined`. */
  | { readonly outcome: 'accepted'; readonly answer: unknown }
  /** `isFinal` for a status that says that the content is at fault, `isBusy` for one that says that it is not. */
  | {
      readonly outcome: 'refused';
      readonly cause: string;
      readonly isFinal: boolean;
      readonly isBusy: boolean;
    }
>;

/**
 * Long enough that a distant collector is not slower than the requests, although one batch is under way at a time, and below 1 MiB, which
 * is what nginx accepts when it is not told otherwise.
 */
const mostOfBatch = { lines: 1_000, bytes: 1_000_000 };

/** Records to a webhook, in the form of CloudTrail's files: `{"Records":[…]}`. One may arrive twice, with the same `eventID`. */
export function webhookDestination(post: PostText): Destination {
  return {
    name: 'webhook',
    batch: mostOfBatch,
    isLocal: false,
    open: () => Promise.resolve(),
    deliver: async (lines) => {
      const answer = await post(`{"Records":[${lines.join(',')}]}`);
      if (answer.outcome === 'refused') throw new SinkError(answer.cause, answer);
      return lines.length;
    },
    close: () => Promise.resolve(),
  };
}
