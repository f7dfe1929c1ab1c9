import { expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { callerOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';
import { memoryOf } from '../support/heap.ts';

const tags = Object.fromEntries(
  Array.from({ length: 1_000 }, (_, index) => [`${'k'.repeat(46)}${String(index).padStart(4, '0')}`, 'v']),
);
const directory = directoryOf({
  identity: [
    {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalTag/zz': 'v' } },
        },
      ],
    },
  ],
  tags,
});
const { request, authenticated } = received(
  { method: 'PUT', target: '/data/k', headers: [] },
  callerOf('user', directory),
);

// An upload lasts as long as its client likes, and keeps what it was authorized with.
it('an authorized request does not keep the context keys of its caller', async () => {
  const sources = sourcesOf(directory);
  const authorize = async (): Promise<unknown> => authorizeS3(request, authenticated, sources);
  const each = (await memoryOf(() => Promise.all(Array.from({ length: 100 }, authorize)))) / 100;
  expect(each).toBeLessThan(20_000);
});
