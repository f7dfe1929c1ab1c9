/**
 * What a request without a verified signature waits for, if it waits: its client or the network, the gate of preflights, or a turn of
 * the event loop, for work that takes a part of one, or a whole one and more.
 */
export type WaitReason = 'client' | 'gate' | 'turn' | 'long turn' | undefined;

/** A request in a room. */
export interface Waiting {
  readonly waitsFor: WaitReason;
}

/** Of groups of the same size, the first one loses a member. */
const groups = ['long turn', 'turn', 'gate', 'client'] as const;

/**
 * The one of a full room that gives way; `undefined` when none of them waits. The largest group of those that wait for the same loses
 * a member, so that no group displaces another. Of those that wait for their client that is the one that has waited longest. Of those
 * that wait for a turn or the gate it is the one that came last: the one that came first is served next, and may have been served in
 * part.
 * @param room in order of arrival
 */
export function leastDue<W extends Waiting>(room: Iterable<W>): W | undefined {
  const found = groups.map((waitsFor) => ({ waitsFor, size: 0, due: undefined as W | undefined }));
  for (const one of room) {
    const group = found.find(({ waitsFor }) => waitsFor === one.waitsFor);
    if (group === undefined) continue;
    group.size += 1;
    if (group.due === undefined || group.waitsFor !== 'client') group.due = one;
  }
  return found.reduce((largest, group) => (group.size > largest.size ? group : largest)).due;
}
