import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace, stepsPerSlice } from '../../src/authorize/pace.ts';
import { askForTurn } from '../../src/core/turns.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { controlClient } from '../support/control-client.ts';
import { assume, type SdkCredentials } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';

const token = 'control-token-of-this-test';
const everything =
  '{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["s3:*", "sts:*"], Resource: "*" }] }';
let clock: TestClock;
let sidecar: TestSidecar;
let session: SdkCredentials;
/** True once a decision waits for a turn of the event loop. */
let isResting: () => boolean;
/** Called when a decision is about to wait, once. */
let beforeRest: () => void;

beforeEach(async () => {
  clock = new TestClock();
  sidecar = await startSidecar({
    clock,
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
    variables: { CONTROL: token },
    directory: `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: ${everything} }
  roles:
    - name: chain
      inlinePolicies: { All: ${everything}, Same: ${everything} }
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }
`,
  });
  session = await assume(sidecar.url, alice, 'chain');
  // From here on every decision is long: its first policy uses up the slice.
  const { spend } = DecisionBudget.prototype;
  vi.spyOn(DecisionBudget.prototype, 'spend').mockImplementation(function (this: DecisionBudget, steps) {
    spend.call(this, steps * stepsPerSlice);
  });
  const { rest } = Pace.prototype;
  let hasRested = false;
  beforeRest = () => undefined;
  vi.spyOn(Pace.prototype, 'rest').mockImplementation(function (this: Pace, ...given) {
    beforeRest();
    beforeRest = () => undefined;
    const resting = rest.apply(this, given);
    hasRested ||= resting !== undefined;
    return resting;
  });
  isResting = () => hasRested;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await sidecar.stop();
});

/** Takes every turn of the session once a decision is about to wait, for far longer than a test lasts. */
function holdTurns(): () => void {
  const sessionArn = `arn:aws:sts::${account}:assumed-role/chain/test`;
  let held: ReturnType<typeof askForTurn>[] = [];
  beforeRest = () => {
    held = Array.from({ length: 20_000 }, () => askForTurn(roleArn('chain'), sessionArn));
  };
  return () => {
    for (const { abandon } of held) abandon();
  };
}

async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let left = 10_000; left > 0 && !isSo(); left -= 1) await setImmediate();
  if (!isSo()) throw new Error('the expected state was not reached');
}

/** Sends a call that the session signs. */
async function send(parameters: Record<string, string>): Promise<Socket> {
  const { host, hostname, port } = new URL(sidecar.url);
  const form = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString();
  const headers = {
    host,
    'content-type': 'application/x-www-form-urlencoded',
    'x-amz-content-sha256': createHash('sha256').update(form).digest('hex'),
  };
  const signing = { method: 'POST', path: '/', query: {}, headers };
  const signed = await signWithSmithy(signing, session, { nowMs: clock.now(), service: 'sts' });
  const fields = [...signed.headers, ['Connection', 'close']];
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(`POST / HTTP/1.1\r\n${head}Content-Length: ${form.length}\r\n\r\n${form}`, 'latin1');
  return socket;
}

const assumeRole = { Action: 'AssumeRole', RoleArn: roleArn('chain'), RoleSessionName: 'next' };
const keyInfo = { Action: 'GetAccessKeyInfo', AccessKeyId: alice.accessKeyId };

const revoke = async (): Promise<void> => {
  const { status } = await controlClient(sidecar.controlUrl, token).add({ role: 'chain' });
  expect(status).toBe(201);
};
const expire = async (): Promise<void> => clock.advance(3_700_000);

describe.each([
  ['is revoked', revoke],
  ['expires', expire],
])('a session that %s while its call is decided', (_, end) => {
  it.each([
    ['gets no credentials', assumeRole],
    ['learns nothing', keyInfo],
  ])('%s', async (_what, parameters) => {
    const release = holdTurns();
    const answer = readAll(await send(parameters));
    await turnsUntil(isResting);
    await end();
    release();
    expect(await answer).toContain('<Code>ExpiredToken</Code>');
  });
});

it('a session that lasts gets credentials after a long decision', async () => {
  const release = holdTurns();
  const answer = readAll(await send(assumeRole));
  await turnsUntil(isResting);
  release();
  expect(await answer).toContain('<AccessKeyId>');
});

it('a call whose client has left is decided no further', async () => {
  const accepted = acceptedOn(Number(new URL(sidecar.url).port));
  const release = holdTurns();
  const socket = await send(assumeRole);
  await turnsUntil(isResting);
  socket.destroy();
  await turnsUntil(() => accepted.sockets.every(({ destroyed }) => destroyed));
  release();
  const record = (): string | undefined => sidecar.logged.find((line) => line.includes('"aborted":true'));
  await turnsUntil(() => record() !== undefined);
  expect(record()).toContain('"operation":"AssumeRole"');
  expect(record()).toContain('"status":499');
  accepted.stop();
});
