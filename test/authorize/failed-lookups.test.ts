import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { StoreLookup, StoreTag } from '../../src/authorize/store-lookup.ts';
import { callerOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';
import { collectGarbage } from '../support/heap.ts';

/** A client that never leaves. */
class Client extends EventEmitter {
  readonly destroyed = false;
}

const unless = (tag: string): object => ({
  Effect: 'Deny',
  Action: '*',
  Resource: '*',
  Condition: { StringEquals: { [tag]: 'yes' } },
});
const directory = directoryOf({
  identity: [
    {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        unless('s3:BucketTag/closed'),
        unless('s3:ExistingObjectTag/closed'),
      ],
    },
  ],
});
const caller = callerOf('user', directory);
const upload = received({ method: 'PUT', target: '/data/k', headers: [['x-amz-acl', 'private']] }, caller);

it('tags that were looked up are not kept once a further look-up of the same request has failed', async () => {
  const kept: WeakRef<object>[] = [];
  const lookup: StoreLookup = {
    tags: async ({ subject }) => {
      if (subject.kind === 'object-tags') throw new Error('the store is busy');
      const tags: StoreTag[] = [['team', 'blue']];
      kept.push(new WeakRef(tags));
      return tags;
    },
  };
  const client = new Client();
  const { request, authenticated } = upload;
  const answer = authorizeS3(request, authenticated, sourcesOf(directory, { lookup }), client);
  await expect(answer).rejects.toThrow('the store is busy');
  await setImmediate();
  // The response of a client that waits keeps what listens to it.
  collectGarbage();
  expect(kept.map((tags) => tags.deref())).toEqual([undefined]);
  expect(client.listenerCount('close')).toBe(0);
});
