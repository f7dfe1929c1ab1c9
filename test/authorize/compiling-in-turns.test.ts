import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import { refuseBatch } from '../../src/authorize/refuse-batch.ts';
import { callerOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';

afterEach(() => void vi.restoreAllMocks());

const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement: everything }] });

/** A session policy of full size, unlike every other one. */
function longPolicy(index: number): object {
  const values = Array.from({ length: 190 }, () => '*?*?');
  const condition = { StringLike: { 'aws:Referer': [`u${index}`, ...values] } };
  const Statement = [everything, { ...everything, Effect: 'Deny', Condition: condition }];
  return { Version: '2012-10-17', Statement };
}

const requests = 100;
const object = { method: 'GET', target: '/data/k', headers: [] } as const;
const batch = { method: 'POST', target: '/data?delete', headers: [] } as const;

it.each([
  ['decisions', object, authorizeS3],
  ['batches that are decided from their heads', batch, refuseBatch],
])('session policies are compiled a few in each turn of the event loop: %s', async (_, wire, decide) => {
  const sources = sourcesOf(directory);
  const gathered = vi.spyOn(PolicyGatherer.prototype, 'gather');
  await setImmediate();
  let isDone = false;
  const all = Array.from({ length: requests }, (__, index) => {
    const { request, authenticated } = received(wire, callerOf('role-session', directory, longPolicy(index)));
    return decide(request, authenticated, sources);
  });
  let most = gathered.mock.calls.length;
  const ended = Promise.all(all).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const before = gathered.mock.calls.length;
    await setImmediate();
    most = Math.max(most, gathered.mock.calls.length - before);
  }
  expect(most).toBeLessThanOrEqual(20);
  expect(gathered).toHaveBeenCalledTimes(requests);
  for (const decided of await ended) expect(decided?.isAllowed).not.toBe(false);
});

it('policies that are kept compiled are gathered at once', async () => {
  const sources = sourcesOf(directory);
  const { request, authenticated } = received(object, callerOf('role-session', directory, longPolicy(0)));
  await authorizeS3(request, authenticated, sources);
  for (let index = 0; index < requests; index += 1)
    expect(authorizeS3(request, authenticated, sources)).not.toBeInstanceOf(Promise);
});
