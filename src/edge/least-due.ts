/**
 * What a request without a verified signature waits for, if it waits: its client or the network, the gate of preflights, or a turn of
 * the event loop, for work that takes a part of one, or a whole one and more.
 */
export type WaitReason = 'client' | 'gate' | 'turn' | 'long turn' | undefined;

/** A request in a room. */
export interface Waiting {
  readonly waitsFor: WaitReason;
  /** The address that it comes from. */
  readonly client: string;
}

/** Of groups of the same size, the first one loses a member. */
const groups = ['long turn', 'turn', 'gate', 'client'] as const;

/**
 * The one of a full room that gives way; `undefined` when none of them waits. The largest group of those that wait for the same loses
 * a member, so that no group displaces another. Of those that wait for their client that is the one that has waited longest, of the
 * address that has most of them: 80 connections that come again and again otherwise displace every form that arrives in two packets.
 * Of those that wait for a turn or the gate it is the one that came last: the one that came first is served next, and may have been
 * served in part.
 * @param room in order of arrival
 */
export function leastDue<W extends Waiting>(room: Iterable<W>): W | undefined {
  const found = groups.map((waitsFor) => ({ waitsFor, waiting: [] as W[] }));
  for (const one of room) found.find(({ waitsFor }) => waitsFor === one.waitsFor)?.waiting.push(one);
  const { waitsFor, waiting } = found.reduce((largest, group) =>
    group.waiting.length > largest.waiting.length ? group : largest,
  );
  return waitsFor === 'client' ? firstOfBusiest(waiting) : waiting.at(-1);
}

function firstOfBusiest<W extends Waiting>(waiting: readonly W[]): W | undefined {
  const counts = new Map<string, number>();
  for (const { client } of waiting) counts.set(client, (counts.get(client) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return waiting.find(({ client }) => counts.get(client) === most);
}
