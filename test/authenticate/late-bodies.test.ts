import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Authenticated, authenticateSts } from '../../src/authenticate/authenticate.ts';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import { systemRandomness } from '../../src/core/randomness.ts';
import { RevocationIndex } from '../../src/revocation/revocation-index.ts';
import { RevocationNames } from '../../src/revocation/revocation-names.ts';
import { Revocations } from '../../src/revocation/revocations.ts';
import { RunTimeRevocations } from '../../src/revocation/run-time-revocations.ts';
import { MemoryState } from '../../src/state/memory-state.ts';
import { ReplicatedRecords } from '../../src/state/replicated-records.ts';
import { StateError } from '../../src/state/shared-state.ts';
import {
  type Arrival,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  identityForm,
  keyOf,
  serve,
  trust,
  userArn,
} from '../sts/support/sts-fixture.ts';
import { testNowMs } from '../support/raw-requests.ts';

const maxStalenessMs = 20_000;
const names = new RevocationNames({
  account: { id: '123456789012', partition: 'aws' },
  users: [],
  roles: [],
  policies: [],
  bucketPolicies: [],
} as never);

/** A state of several replicas that can go away. */
class SharedMemory extends MemoryState {
  override readonly isShared: boolean = true;
  isDown = false;
  override readRecords(...known: Parameters<MemoryState['readRecords']>) {
    return this.isDown ? Promise.reject(new StateError('down')) : super.readRecords(...known);
  }
}

/** A sidecar that shares its revocations, and a session of 900 seconds that alice has there. */
async function startWorld() {
  let now = testNowMs;
  const clock = { now: () => now };
  const state = new SharedMemory();
  const records = new ReplicatedRecords(state, clock, maxStalenessMs, {
    refreshed: () => undefined,
    restored: () => undefined,
  });
  await records.start();
  records.stop();
  const runTime = new RunTimeRevocations(records, clock, systemRandomness);
  const directory = buildWorld({
    users: { alice: { inline: [assumePolicy('*')] } },
    roles: { data: { trust: trust(userArn('alice')) } },
  });
  const base = dependenciesOf(directory);
  const authentication = {
    ...base.authentication,
    revocations: new Revocations(() => new RevocationIndex([]), runTime),
  };
  const form = assumeRoleForm('data', { DurationSeconds: '900' });
  const issued = await serve(await arrive(form, keyOf('alice')), { ...base, authentication });
  const session = credentialsIn(issued);
  return {
    state,
    records,
    runTime,
    session,
    /** A request of the session whose head arrives at the start. */
    head: (): Promise<Arrival> => arrive(identityForm, session),
    pass: (ms: number): void => {
      now += ms;
    },
    nowMs: () => now,
    authenticate: ({ raw, body }: Arrival): Promise<Authenticated> =>
      authenticateSts(raw, createHash('sha256').update(body).digest('hex'), authentication),
  };
}

/** The reason of a failed authentication; `accepted` without one. */
async function outcome(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'accepted';
  } catch (error) {
    if (error instanceof AuthenticationFault) return error.reason;
    throw error;
  }
}

describe('a request whose body took longer than revocations may be stale', () => {
  it('is judged by the current revocations, and makes nothing stale for others', async () => {
    const world = await startWorld();
    const slow = await world.head();
    world.pass(maxStalenessMs + 5_000);
    await world.records.learn();
    const quick = await arrive(identityForm, world.session, { arrivesAtMs: world.nowMs() });
    expect(await outcome(() => world.authenticate(slow))).toBe('accepted');
    expect(await outcome(() => world.authenticate(quick))).toBe('accepted');
  });

  it('is refused when nothing was learned meanwhile', async () => {
    const world = await startWorld();
    const slow = await world.head();
    world.state.isDown = true;
    world.pass(maxStalenessMs + 1);
    expect(await outcome(() => world.authenticate(slow))).toBe('revocations_unknown');
  });
});

describe('a second look, when the body of a request has arrived', () => {
  it('finds a session that is still valid', async () => {
    const world = await startWorld();
    const authenticated = await world.authenticate(await world.head());
    expect(await outcome(() => authenticated.recheck(testNowMs + 899_999))).toBe('accepted');
  });

  it('finds that the session expired', async () => {
    const world = await startWorld();
    const authenticated = await world.authenticate(await world.head());
    expect(await outcome(() => authenticated.recheck(testNowMs + 900_000))).toBe('expired_token');
  });

  it('finds that the session was revoked', async () => {
    const world = await startWorld();
    const authenticated = await world.authenticate(await world.head());
    await world.runTime.add({ issuedBefore: new Date(testNowMs + 5_000).toISOString() }, names);
    expect(await outcome(() => authenticated.recheck(world.nowMs()))).toBe('revoked_token');
  });

  it('finds that revocations are no longer known', async () => {
    const world = await startWorld();
    const authenticated = await world.authenticate(await world.head());
    world.state.isDown = true;
    world.pass(maxStalenessMs + 1);
    expect(await outcome(() => authenticated.recheck(world.nowMs()))).toBe('revocations_unknown');
  });

  it('finds nothing against a long-term key', async () => {
    const world = await startWorld();
    const authenticated = await world.authenticate(await arrive(identityForm, keyOf('alice')));
    world.state.isDown = true;
    world.pass(31_536_000_000);
    expect(await outcome(() => authenticated.recheck(world.nowMs()))).toBe('accepted');
  });
});
