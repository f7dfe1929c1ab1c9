import { describe, expect, it } from 'vitest';
import { systemRandomness } from '../../src/core/randomness.ts';
import { RevocationNames } from '../../src/revocation/revocation-names.ts';
import { RunTimeRevocations } from '../../src/revocation/run-time-revocations.ts';
import { MemoryState } from '../../src/state/memory-state.ts';
import { ReplicatedRecords } from '../../src/state/replicated-records.ts';
import type { SessionClaims } from '../../src/tokens/session-claims.ts';

const addedAt = 1_800_000_000_900;
let nowMs = addedAt;
const clock = { now: (): number => nowMs };
const sessionId = 'A'.repeat(22);
const names = new RevocationNames({
  account: { id: '123456789012', partition: 'aws' },
  users: [],
  roles: [],
  policies: [],
  bucketPolicies: [],
} as never);

class SharedMemory extends MemoryState {
  override readonly isShared: boolean = true;
}

async function revocations(state: MemoryState): Promise<RunTimeRevocations> {
  const observer = { refreshed: (): void => undefined, restored: (): void => undefined };
  const records = new ReplicatedRecords(state, clock, 60_000, observer);
  await records.start();
  records.stop();
  return new RunTimeRevocations(records, clock, systemRandomness);
}

/** A session of a federated user that was issued at a whole second. */
function issuedAt(second: number): SessionClaims {
  const principal = { kind: 'user-session', userArn: 'arn:aws:iam::123456789012:root', userId: '1' };
  return { sessionId, issuedAt: second, principal } as unknown as SessionClaims;
}

describe('a run-time revocation', () => {
  it.each([
    ['alone', new MemoryState(), 0, 1],
    ['of several replicas', new SharedMemory(), 2, 3],
  ])(
    'without a time, %s, covers whatever may be issued before all replicas know it',
    async (_, state, last, first) => {
      const runTime = await revocations(state);
      await runTime.add({ user: 'arn:aws:iam::123456789012:root' }, names);
      const second = Math.floor(addedAt / 1000);
      expect(runTime.index?.revokes(issuedAt(second + last))).toBe(true);
      expect(runTime.index?.revokes(issuedAt(second + first))).toBe(false);
    },
  );

  // What descends from a session may have been issued long after it, until the revocation was added.
  it('of an earlier time is kept until sessions that were issued when it was added have expired', async () => {
    const runTime = await revocations(new MemoryState());
    const issuedBefore = new Date(addedAt - 86_400_000).toISOString();
    await runTime.add({ issuedBefore }, names);
    const keptAfter = async (milliseconds: number): Promise<boolean> => {
      nowMs = addedAt + milliseconds;
      await runTime.add({ sessionId }, names);
      nowMs = addedAt;
      return runTime.list().some(({ record }) => record.selector === undefined);
    };
    const yearMs = 31_536_000_000;
    expect(await keptAfter(yearMs)).toBe(true);
    expect(await keptAfter(yearMs + 1)).toBe(false);
  });

  it('of a session by its id covers it whatever the clocks say', async () => {
    const runTime = await revocations(new MemoryState());
    const added = await runTime.add({ sessionId }, names);
    expect(added).toMatchObject({ outcome: 'added', revocation: { record: { issuedBeforeMs: undefined } } });
    expect(runTime.index?.revokes(issuedAt(Math.floor(addedAt / 1000) + 3600))).toBe(true);
  });

  it.each([
    ['an access key id', { sessionId: 'ASIAY34FZKBOKMUTVV7A' }],
    ['a blank', { sessionId: ' ' }],
    ['control characters', { sessionId: '\u0001'.repeat(2000) }],
    ['an issuer with control characters', { issuer: `https://${'\u0001'.repeat(2000)}` }],
    ['an impossible session name', { roleSession: 'data/a b' }],
  ])('of %s is refused', async (_, source) => {
    const runTime = await revocations(new MemoryState());
    expect((await runTime.add(source, names)).outcome).toBe('invalid');
    expect([runTime.list(), runTime.listUnreadable()]).toEqual([[], []]);
  });

  it('of an id that no session has is accepted with a doubt', async () => {
    const runTime = await revocations(new MemoryState());
    expect(await runTime.add({ sessionId: 'abc' }, names)).toMatchObject({
      outcome: 'added',
      doubt: 'no session has an id of this form',
    });
  });

  it('that cannot be read is listed by its id, and can be removed', async () => {
    const state = new MemoryState();
    await state.putRecord('some id/ü', 'unreadable');
    const runTime = await revocations(state);
    expect([runTime.index, runTime.list(), runTime.listUnreadable()]).toEqual([undefined, [], ['some id/ü']]);
    expect(await runTime.remove('some id/ü')).toBe(true);
    expect([runTime.index?.revokes(issuedAt(1)), runTime.listUnreadable()]).toEqual([false, []]);
  });
});
