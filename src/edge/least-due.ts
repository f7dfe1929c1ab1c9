/**
 * What a request without a verified signature waits for, if it waits: its client or the network, or a turn of the event loop, for
 * work that takes a part of one, or a whole one and more.
 */
export type WaitReason = 'client' | 'turn' | 'long turn' | undefined;

/** A request in a room. */
export interface Waiting {
  readonly waitsFor: WaitReason;
}

/**
 * The one of a full room that gives way; `undefined` when none of them waits. The largest group of those that wait for the same loses
 * a member, so that no group displaces another. Of those that wait for their client that is the one that has waited longest. Of those
 * that wait for a turn it is the one that came last: the one that came first is served next, and may have been served in part.
 * @param room in order of arrival
 */
export function leastDue<W extends Waiting>(room: Iterable<W>): W | undefined {
  const client = { size: 0, due: undefined as W | undefined };
  const turn = { size: 0, due: undefined as W | undefined };
  const longTurn = { size: 0, due: undefined as W | undefined };
  for (const one of room) {
    if (one.waitsFor === 'client') {
      client.size += 1;
      client.due ??= one;
    } else if (one.waitsFor !== undefined) {
      const group = one.waitsFor === 'turn' ? turn : longTurn;
      group.size += 1;
      group.due = one;
    }
  }
  if (longTurn.size >= turn.size && longTurn.size >= client.size) return longTurn.due;
  return turn.size >= client.size ? turn.due : client.due;
}
