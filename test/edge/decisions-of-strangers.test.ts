import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import { askForTurn } from '../../src/core/turns.ts';
import { Place } from '../../src/edge/place.ts';
import { Places } from '../../src/edge/places.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { stsHead } from '../support/hostile/sockets.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { providerArn } from '../support/web-identity.ts';

let idp: TestIdentityProvider;
let sidecar: TestSidecar;
/** How many waits for a turn have begun. */
let waits: () => number;

beforeEach(async () => {
  idp = await startIdentityProvider();
  sidecar = await startSidecar({
    directory: `
directory:
  identityProviders: [{ kind: oidc, name: test, issuer: "${idp.issuer}", clientIds: [sts-sidecar] }]
  roles:
    - name: tagged
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${providerArn(idp.issuer)}" }, Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] }] }
`,
    server: '  limits: { maxUnauthenticated: 2 }',
  });
  // From here on the keys are known, so no call waits for them.
  expect(await readAll(await send(await requestWith({})))).toContain('<AccessKeyId>');
  const waiting = vi.spyOn(Place.prototype, 'waitForTurn');
  waits = () => waiting.mock.calls.length;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await sidecar.stop();
  await idp.stop();
});

/** A call whose token carries a session tag, so that two decisions are made. */
async function requestWith(claims: Record<string, unknown>): Promise<string> {
  const tags = { 'https://aws.amazon.com/tags': { principal_tags: { team: ['a'] } } };
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn('tagged'),
    RoleSessionName: 'abc',
    WebIdentityToken: await idp.mint({ ...tags, ...claims }),
  }).toString();
  return stsHead(form.length, 'Connection: close\r\n') + form;
}

/** From here on every decision is long, so the second one of a call waits for a turn. */
function lengthenDecisions(): void {
  const { spend } = DecisionBudget.prototype;
  vi.spyOn(DecisionBudget.prototype, 'spend').mockImplementation(function (this: DecisionBudget, steps) {
    spend.call(this, steps * stepsPerSlice);
  });
}

/** Takes every turn of the provider, for far longer than a request needs to arrive. */
function holdTurns(): () => void {
  const held = Array.from({ length: 20_000 }, () => askForTurn(providerArn(idp.issuer)));
  return () => {
    for (const { abandon } of held) abandon();
  };
}

async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let left = 10_000; left > 0 && !isSo(); left -= 1) await setImmediate();
  if (!isSo()) throw new Error('the expected state was not reached');
}

async function send(request: string): Promise<Socket> {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(request, 'latin1');
  return socket;
}

describe.each<[string, Record<string, unknown>, () => void]>([
  ['the long decision about a token', {}, lengthenDecisions],
  [
    'a verified token with many claims',
    Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`c${at}`, ''])),
    () => undefined,
  ],
])('%s', (_, claims, begin) => {
  it('waits for a turn of its identity provider, and its place can be given to another', async () => {
    const request = await requestWith(claims);
    begin();
    let most = 0;
    const { enter } = Places.prototype;
    vi.spyOn(Places.prototype, 'enter').mockImplementation(function (this: Places) {
      const place = enter.apply(this);
      most = Math.max(most, this.unauthenticated);
      return place;
    });
    const release = holdTurns();
    const first = readAll(await send(request));
    await turnsUntil(() => waits() === 1);
    const others = [readAll(await send(request))];
    await turnsUntil(() => waits() === 2);
    for (let more = 0; more < 6; more += 1) {
      others.push(readAll(await send(request)));
      expect(await others.at(-2)).toContain('<Code>Throttling</Code>');
      await turnsUntil(() => waits() === 3 + more);
    }
    release();
    for (const answer of [first, others.at(-1)]) expect(await answer).toContain('<AccessKeyId>');
    expect(most).toBeLessThanOrEqual(3);
  });

  it('ends with its client', async () => {
    const request = await requestWith(claims);
    begin();
    const accepted = acceptedOn(Number(new URL(sidecar.url).port));
    const release = holdTurns();
    const socket = await send(request);
    await turnsUntil(() => waits() === 1);
    socket.destroy();
    await turnsUntil(() => accepted.sockets.every(({ destroyed }) => destroyed));
    release();
    const record = (): string | undefined => sidecar.logged.find((line) => line.includes('"aborted":true'));
    await turnsUntil(() => record() !== undefined);
    expect(record()).toContain('"status":499');
    accepted.stop();
  });
});

it('a usual token waits for no turn', async () => {
  const release = holdTurns();
  expect(await readAll(await send(await requestWith({ groups: ['a', 'b'] })))).toContain('<AccessKeyId>');
  expect(waits()).toBe(0);
  release();
});
