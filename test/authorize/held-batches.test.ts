import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Authorized, authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import { callerOf, deleteOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const keysPerBatch = 1_000;
const batches = 20;
const wire = { method: 'POST', target: '/data?delete', headers: [] } as const;
const tag: StoreTag = ['team', 'blue'];

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** What the decisions on a batch keep for each key, beyond the request itself, while the answer waits to be read. */
async function keptBytesPerKey(): Promise<number> {
  const Statement = [
    { Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::data/*' },
    { Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::data/*5' },
  ];
  const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement }] });
  const sources = sourcesOf(directory);
  const caller = callerOf('user', directory);
  const requests = Array.from({ length: batches }, (_, batch) => {
    const keys = Array.from({ length: keysPerBatch }, (__, index) => ({ key: `key-${batch}-${index}` }));
    return received(wire, caller, deleteOf(keys));
  });
  const held: Authorized[] = [];
  const before = heapBytes();
  for (const { request, authenticated } of requests) {
    const authorized = await authorizeS3(request, authenticated, sources);
    if (authorized.isAllowed) held.push(authorized);
  }
  const after = heapBytes();
  expect(held.map(({ deniedItems }) => deniedItems.length)).toEqual(Array(batches).fill(keysPerBatch / 10));
  return (after - before) / (batches * keysPerBatch);
}

describe('a batch whose answer waits to be read', () => {
  it('keeps only one of its decisions in memory', async () => {
    // Once before, so that what is made once and kept does not count.
    await keptBytesPerKey();
    expect(await keptBytesPerKey()).toBeLessThan(64);
  });

  it('keeps none of the tags that were looked up in memory', async () => {
    const whenBlue = { StringEquals: { 's3:BucketTag/team': 'blue' } };
    const Statement = { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: whenBlue };
    const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement }] });
    const sources = sourcesOf(directory, { lookup: { tags: async () => [tag] } });
    const { request, authenticated } = received(wire, callerOf('user', directory), deleteOf([{ key: 'k' }]));
    const authorized = await authorizeS3(request, authenticated, sources);
    if (!authorized.isAllowed) throw new Error('a batch is never denied as a whole');
    expect(authorized.deniedItems).toEqual([]);
    const [permission] = request.batch?.items[0]?.permissions ?? [];
    if (permission === undefined) throw new Error('an item without permissions');
    await authorized.decide([permission]);
    expect(authorized.permits(permission)).toBe(false);
  });
});

// The client decides how long its body takes and how fast it reads. Callers who tag a bucket decide how long its tags are.
it('a request that has been decided keeps none of the tags that were looked up in memory', async () => {
  const whenBlue = { StringEquals: { 's3:BucketTag/team': 'blue' } };
  const Statement = { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: whenBlue };
  const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement }] });
  const sources = sourcesOf(directory, { lookup: { tags: async () => [tag] } });
  const put = { method: 'PUT', target: '/data/k', headers: [] } as const;
  const { request, authenticated } = received(put, callerOf('user', directory));
  const authorized = await authorizeS3(request, authenticated, sources);
  if (!authorized.isAllowed) throw new Error('denied');
  await authorized.decide(request.permissions);
  expect(request.permissions.map((permission) => authorized.permits(permission))).toEqual([false]);
});
