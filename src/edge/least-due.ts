/**
 * What a request without a verified signature waits for, if it waits: its client or the network, the gate of preflights, or a turn of
 * the event loop, for work that takes a part of one, or a whole one and more.
 */
export type WaitReason = 'client' | 'gate' | 'turn' | 'long turn' | undefined;

/** A request in a room. */
export interface Waiting {
  readonly waitsFor: WaitReason;
  /** The network that it comes from. */
  readonly client: string;
  /** When it began to wait, in milliseconds of the monotonic clock. */
  readonly waitsSinceMs: number;
}

/** Of groups of the same size, the first one loses a member. */
const groups = ['long turn', 'turn', 'gate', 'client'] as const;

/**
 * The one of a full room that gives way; `undefined` when none of them waits. The largest group of those that wait for the same loses
 * a member, so that no group displaces another. Of those that wait for their client it is one of the network whose requests have waited
 * longest, all together, and of these the one that came first. Neither connections that come again and again nor those that send
 * nothing more then displace the form of another network that arrives in two packets. Of those that wait for a turn or the gate it is
 * the one that came last: the one that came first is served next, and may have been served in part.
 * @param room in order of arrival
 */
export function leastDue<W extends Waiting>(room: Iterable<W>, nowMs: number): W | undefined {
  const found = groups.map((waitsFor) => ({ waitsFor, waiting: [] as W[] }));
  for (const one of room) found.find(({ waitsFor }) => waitsFor === one.waitsFor)?.waiting.push(one);
  const { waitsFor, waiting } = found.reduce((largest, group) =>
    group.waiting.length > largest.waiting.length ? group : largest,
  );
  return waitsFor === 'client' ? firstOfHeaviest(waiting, nowMs) : waiting.at(-1);
}

function firstOfHeaviest<W extends Waiting>(waiting: readonly W[], nowMs: number): W | undefined {
  const waited = new Map<string, number>();
  for (const { client, waitsSinceMs } of waiting)
    waited.set(client, (waited.get(client) ?? 0) + nowMs - waitsSinceMs);
  const most = Math.max(...waited.values());
  return waiting.find(({ client }) => waited.get(client) === most);
}
