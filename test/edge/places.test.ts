import { describe, expect, it } from 'vitest';
import { BudgetExhaustedError, ByteBudget } from '../../src/core/byte-budget.ts';
import type { TurnOwner } from '../../src/core/turns.ts';
import { networkOf } from '../../src/edge/client-address.ts';
import { Gate } from '../../src/edge/gate.ts';
import { leastDue } from '../../src/edge/least-due.ts';
import { LimitReporter } from '../../src/edge/limit-reporter.ts';
import { NoPlaceError, type Place } from '../../src/edge/place.ts';
import { Places } from '../../src/edge/places.ts';
import { Log } from '../../src/observe/log.ts';
import { Metrics } from '../../src/observe/metrics.ts';

const alice: TurnOwner = { owner: 'alice', session: 'alice' };
const bob: TurnOwner = { owner: 'bob', session: 'bob' };

interface World {
  readonly places: Places;
  readonly budget: ByteBudget;
  readonly logged: string[];
  readonly metrics: Metrics;
}

function world({ maxInFlight = 2, maxUnauthenticated = 2, maxBytes = 1000 } = {}): World {
  const logged: string[] = [];
  const log = new Log(
    { level: 'info', requests: false, objectKeys: 'full' },
    { write: (line) => void logged.push(line) },
  );
  const metrics = new Metrics();
  const budget = new ByteBudget(maxBytes);
  const limits = { maxInFlight, maxUnauthenticated, requestsPerSecondPerClient: 0 };
  return { places: new Places(limits, budget, new LimitReporter(metrics, log)), budget, logged, metrics };
}

/** Waits in a place for something that never comes; returns what ends the wait. */
function waitIn(place: Place): Promise<unknown> {
  return place.waitFor(new Promise<never>(() => undefined)).catch((error: unknown) => error);
}

/** The same for a turn of the event loop. */
function waitForTurnIn(place: Place, isLong = false): Promise<unknown> {
  const turn = { comes: new Promise<never>(() => undefined), abandon: () => undefined };
  return place.waitForTurn(turn, isLong).catch((error: unknown) => error);
}

describe('the room of strangers', () => {
  it('makes the request that has waited longest give way to a new one', async () => {
    const { places } = world();
    const first = waitIn(places.enter());
    const second = waitIn(places.enter());
    places.enter();
    expect(await first).toBeInstanceOf(NoPlaceError);
    expect(places.unauthenticated).toBe(2);
    expect(await Promise.race([second, 'still waiting'])).toBe('still waiting');
  });

  it('makes the last request that waits for a turn give way, and serves the first', async () => {
    const { places } = world();
    const first = waitForTurnIn(places.enter());
    const second = waitForTurnIn(places.enter());
    places.enter();
    expect(await second).toBeInstanceOf(NoPlaceError);
    expect(await Promise.race([first, 'still waiting'])).toBe('still waiting');
  });

  it.each([
    { waiting: 'cct', gone: 0 },
    { waiting: 'ctt', gone: 2 },
    { waiting: 'ttc', gone: 1 },
    { waiting: 'cccttll', gone: 0 },
    { waiting: 'cctttll', gone: 4 },
    { waiting: 'ccttlllt', gone: 6 },
    { waiting: 'tlc', gone: 1 },
    { waiting: 'ggc', gone: 1 },
    { waiting: 'ccgg', gone: 3 },
    { waiting: 'g-t', gone: 2 },
    { waiting: '-t-', gone: 1 },
    { waiting: '---', gone: undefined },
  ])(
    'takes the place from the largest group that waits for the same thing: $waiting',
    ({ waiting, gone }) => {
      const reasons = { c: 'client', g: 'gate', t: 'turn', l: 'long turn', '-': undefined } as const;
      const room = [...waiting].map((letter) => ({
        waitsFor: reasons[letter as keyof typeof reasons],
        client: '10.0.0.1',
        waitsSinceMs: 0,
      }));
      expect(leastDue(room, 1)).toBe(gone === undefined ? undefined : room[gone]);
    },
  );

  it.each([
    ['one that floods, not one that is slow', 'a140 b10 b20 b30 b40 b50', 1],
    ['one that is slow alone', 'a140 b10 b20', 0],
    ['one that says nothing more, not many short ones', 'a9000 b20 b30 b10 b40', 0],
    ['the longest of the network', 'b30 a40 a20', 1],
    ['the only one', 'a1', 0],
  ])(
    'takes it from the network whose requests have waited longest for their clients: %s',
    (_, waiting, gone) => {
      const room = waiting.split(' ').map((one) => ({
        waitsFor: 'client' as const,
        client: one.slice(0, 1),
        waitsSinceMs: 10_000 - Number(one.slice(1)),
      }));
      expect(leastDue(room, 10_000)).toBe(room[gone]);
    },
  );

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:0'],
    ['2001:db8:1:12ff::6', '2001:db8:1:1200'],
    ['2001:db8:1:1300::6', '2001:db8:1:1300'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:0DB8::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1:2:3:4:5', 'fe80:0:0:0'],
  ])('takes %s for the network %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('spares a request that is being worked on', async () => {
    const { places } = world();
    places.enter();
    const waiting = waitIn(places.enter());
    places.enter();
    expect(await waiting).toBeInstanceOf(NoPlaceError);
  });

  it('takes no place in flight, however full it is', () => {
    const { places } = world();
    for (let index = 0; index < 100; index += 1) places.enter();
    const known = places.enter();
    expect(() => known.admit(alice)).not.toThrow();
  });

  it('has room again once a request leaves, is verified or waits outside', () => {
    const { places } = world();
    const [left, verified, outside] = [places.enter(), places.enter(), places.enter()];
    left.leave();
    verified.admit(alice);
    const back = outside.stepOut('webhook');
    expect(places.unauthenticated).toBe(0);
    back();
    expect(places.unauthenticated).toBe(1);
    outside.leave();
    back();
    expect(places.unauthenticated).toBe(0);
  });

  it('stops the work of the request that gives way', async () => {
    const { places } = world({ maxUnauthenticated: 1 });
    let isAbandoned = false;
    const waiting = places.enter().waitFor(new Promise<never>(() => undefined), () => {
      isAbandoned = true;
    });
    places.enter();
    await expect(waiting).rejects.toBeInstanceOf(NoPlaceError);
    expect(isAbandoned).toBe(true);
  });
});

describe('the places in flight', () => {
  it('are refused above maxInFlight, and free again when requests leave', () => {
    const { places } = world();
    const known = [places.enter(), places.enter()];
    for (const place of known) place.admit(alice);
    expect(() => places.enter().admit(bob)).toThrow(NoPlaceError);
    known[0]?.leave();
    known[0]?.leave();
    expect(() => places.enter().admit(bob)).not.toThrow();
    expect(() => places.enter().admit(bob)).toThrow(NoPlaceError);
  });

  it('do not give way', async () => {
    const { places } = world();
    const known = places.enter();
    known.admit(alice);
    const waiting = waitIn(known);
    for (let index = 0; index < 10; index += 1) places.enter();
    expect(await Promise.race([waiting, 'still waiting'])).toBe('still waiting');
  });
});

describe('what a request holds', () => {
  it('is charged to its caller once the caller is known, and given back when the request leaves', () => {
    const { places, budget } = world();
    const place = places.enter();
    place.reservation.growTo(400);
    place.admit(alice);
    expect(budget.usedBytes).toBe(400);
    // Charged to strangers, it would be more than half.
    expect(() => places.enter().reservation.growTo(300)).not.toThrow();
    expect(() => places.enter().reservation.growTo(100)).toThrow(BudgetExhaustedError);
    place.leave();
    expect(budget.usedBytes).toBe(300);
  });
});

describe('the bytes of strangers', () => {
  const forms = (places: Places, count: number): { place: Place; waiting: Promise<unknown> }[] =>
    Array.from({ length: count }, () => {
      const place = places.enter();
      const waiting = waitIn(place);
      place.reservation.growTo(100);
      return { place, waiting };
    });

  it('are taken from the request that has waited longest, which gives way', async () => {
    const { places, budget } = world({ maxUnauthenticated: 20 });
    const [first, ...others] = forms(places, 5);
    const late = places.enter();
    late.reservation.growTo(50);
    expect(await first?.waiting).toBeInstanceOf(NoPlaceError);
    expect(budget.usedBytes).toBe(450);
    expect(await Promise.race([...others.map(({ waiting }) => waiting), 'still waiting'])).toBe(
      'still waiting',
    );
    for (const { place } of [...others, { place: late }]) place.leave();
    first?.place.leave();
    expect(budget.usedBytes).toBe(0);
  });

  it('are not taken from requests that came later', () => {
    const { places } = world({ maxUnauthenticated: 20 });
    const [first] = forms(places, 5);
    expect(() => first?.place.reservation.growTo(150)).toThrow(BudgetExhaustedError);
  });

  it('that wait for an identity provider take no room from others', () => {
    const { places, budget } = world({ maxUnauthenticated: 20 });
    for (const { place } of forms(places, 5)) place.stepOut('webhook');
    const late = places.enter();
    late.reservation.growTo(200);
    expect(budget.usedBytes).toBe(700);
  });
});

describe('the byte budget', () => {
  it('gives no holder more than what is left for all others', () => {
    const budget = new ByteBudget(900);
    const [first, second, third] = ['alice', 'bob', 'carol'].map((holder) => budget.reserve(holder));
    expect(() => first?.growTo(451)).toThrow(BudgetExhaustedError);
    first?.growTo(450);
    expect(() => budget.reserve('alice').growTo(1)).toThrow(BudgetExhaustedError);
    expect(() => second?.growTo(226)).toThrow(BudgetExhaustedError);
    second?.growTo(225);
    third?.growTo(112);
    expect(budget.usedBytes).toBe(787);
  });

  it('keeps what is held when it cannot grow', () => {
    const budget = new ByteBudget(100);
    const held = budget.reserve('alice');
    held.growTo(40);
    expect(() => held.growTo(60)).toThrow(BudgetExhaustedError);
    expect([held.bytes, budget.usedBytes]).toEqual([40, 40]);
    held.growTo(10);
    expect(held.bytes).toBe(40);
    held.resize(10);
    expect(budget.usedBytes).toBe(10);
    held.release();
    held.growTo(50);
    expect([held.bytes, budget.usedBytes]).toEqual([0, 0]);
  });
});

describe('a limit that takes effect', () => {
  it('is counted every time and logged once a second', async () => {
    const { places, logged, metrics } = world({ maxInFlight: 0 });
    for (let index = 0; index < 50; index += 1) {
      const place = places.enter();
      expect(() => place.admit(alice)).toThrow(NoPlaceError);
      place.leave();
    }
    expect(logged).toHaveLength(1);
    await expect.poll(() => logged.length).toBe(2);
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', msg: 'limit acted', limit: 'in_flight', times: 1 },
      { limit: 'in_flight', times: 49 },
    ]);
    const { body } = await metrics.render();
    expect(body).toContain('sts_sidecar_limit_actions_total{limit="in_flight"} 50');
  });
});

function rejectable(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: ((error: Error) => void) | undefined;
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  return { promise, reject: (error) => reject?.(error) };
}

describe('a gate', () => {
  const forever = new AbortController().signal;

  /** A gate for two, and what has passed it, in order. */
  function gateOfTwo(): {
    pass: (name: string, signal?: AbortSignal) => Promise<void>;
    under: string[];
    end: (name: string) => void;
  } {
    const gate = new Gate(2);
    const under: string[] = [];
    const ends = new Map<string, () => void>();
    const begin = (name: string): Promise<void> =>
      new Promise((resolve) => {
        under.push(name);
        ends.set(name, resolve);
      });
    const pass = (name: string, signal = forever): Promise<void> => gate.pass(() => begin(name), signal);
    return { pass, under, end: (name) => ends.get(name)?.() };
  }

  it('lets through only as many as may run, and the others in order', async () => {
    const { pass, under, end } = gateOfTwo();
    const first = pass('a');
    const others = ['b', 'c', 'd'].map((name) => pass(name));
    expect(under).toEqual(['a', 'b']);
    end('a');
    await first;
    await expect.poll(() => under).toEqual(['a', 'b', 'c']);
    for (const name of ['b', 'c']) end(name);
    await expect.poll(() => under).toEqual(['a', 'b', 'c', 'd']);
    end('d');
    await Promise.all(others);
    void pass('e');
    void pass('f');
    expect(under.slice(4)).toEqual(['e', 'f']);
  });

  it('forgets waiters that give up, and goes on after work that fails', async () => {
    const gate = new Gate(1);
    const gone = new AbortController();
    const { promise, reject } = rejectable();
    const failing = gate.pass(() => promise, forever);
    const given = gate.pass(() => Promise.resolve('never'), gone.signal);
    const next = gate.pass(() => Promise.resolve('next'), forever);
    gone.abort();
    await expect(given).rejects.toBeInstanceOf(NoPlaceError);
    reject(new Error('failed'));
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('next');
  });
});
