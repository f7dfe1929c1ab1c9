import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nextTurn } from '../../src/core/turns.ts';
import { Place } from '../../src/edge/place.ts';
import { postForm } from '../support/post-form.ts';
import { assume, outcome } from '../support/sdk.ts';
import { bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
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

const requests: readonly (readonly [name: string, send: () => Promise<string>])[] = [
  ['a POST form', async () => summary(await postForm(sidecar.url, bob))],
  ['a short call of AssumeRole', () => outcome(assume(sidecar.url, bob, 'admin'))],
];

it.each(requests)('%s waits for its turn once its caller is known', async (_, send) => {
  let turn = 0;
  let known = 0;
  const { admit } = Place.prototype;
  vi.spyOn(Place.prototype, 'admit').mockImplementation(function (this: Place, owner, isForm) {
    admit.call(this, owner, isForm);
    known = turn;
    void nextTurn(owner, owner, turnsOfOther);
  });
  const counting = async (): Promise<void> => {
    for (; isCounting; turn += 1) await setImmediate();
  };
  void counting();
  expect(await send()).toMatch(/AccessDenied/);
  expect(known).toBeGreaterThan(0);
  expect(turn - known).toBeGreaterThanOrEqual(turnsOfOther - 1);
});
