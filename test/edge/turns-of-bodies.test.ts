import { setImmediate } from 'node:timers/promises';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nextTurn } from '../../src/core/turns.ts';
import { Place } from '../../src/edge/place.ts';
import { RequestTurns } from '../../src/edge/request-turns.ts';
import { postForm } from '../support/post-form.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { summary } from '../support/wire.ts';

let sidecar: TestSidecar;
let isCounting: boolean;
beforeEach(async () => {
  isCounting = true;
  sidecar = await startSidecar();
});
afterEach(async () => {
  isCounting = false;
  vi.restoreAllMocks();
  await sidecar.stop();
});

const turnsOfOther = 300;

type Sending = (credentials: SdkCredentials) => Promise<string>;

const requests: readonly (readonly [name: string, send: Sending])[] = [
  ['a POST form', async (credentials) => summary(await postForm(sidecar.url, credentials))],
  ['a short call of AssumeRole', (credentials) => outcome(assume(sidecar.url, credentials, 'admin'))],
];

it.each(requests)('%s waits for its turn once its caller is known', async (_, send) => {
  let turn = 0;
  let known = 0;
  const { admit } = Place.prototype;
  vi.spyOn(Place.prototype, 'admit').mockImplementation(function (this: Place, caller, isForm) {
    admit.call(this, caller, isForm);
    known = turn;
    void nextTurn(caller.owner, caller.session, turnsOfOther);
  });
  const counting = async (): Promise<void> => {
    for (; isCounting; turn += 1) await setImmediate();
  };
  void counting();
  expect(await send(bob)).toMatch(/AccessDenied/);
  expect(known).toBeGreaterThan(0);
  expect(turn - known).toBeGreaterThanOrEqual(turnsOfOther - 1);
});

const listBuckets: Sending = (credentials) =>
  outcome(s3Client(sidecar.url, credentials).send(new ListBucketsCommand({})));

it.each([...requests, ['ListBuckets', listBuckets] as const])(
  'after %s of a session, its connection waits in the queue of that session',
  async (_, send) => {
    const session = await assume(sidecar.url, alice, 'reader', { RoleSessionName: 'quiet' });
    const know = vi.spyOn(RequestTurns.prototype, 'know');
    await send(session);
    expect(know).toHaveBeenLastCalledWith({
      owner: roleArn('reader'),
      session: `arn:aws:sts::${account}:assumed-role/reader/quiet`,
    });
  },
);
