import { type Destination, SinkError } from './destination.ts';

/** Sends one JSON text to the webhook. */
export type PostText = (json: string) => Promise<
  /** Accepted: 2xx. */
  | { readonly outcome: 'accepted' }
  /** `isFinal` for a status that says that the content is at fault. */
  | { readonly outcome: 'refused'; readonly cause: string; readonly isFinal: boolean }
>;

/** Records to a webhook, in the form of CloudTrail's files: `{"Records":[…]}`. One may arrive twice, with the same `eventID`. */
export function webhookDestination(post: PostText): Destination {
  return {
    name: 'webhook',
    batch: { lines: 500, bytes: 262_144 },
    isLocal: false,
    open: () => Promise.resolve(),
    deliver: async (lines) => {
      const answer = await post(`{"Records":[${lines.join(',')}]}`);
      if (answer.outcome === 'refused') throw new SinkError(answer.cause, { isFinal: answer.isFinal });
    },
    close: () => Promise.resolve(),
  };
}
