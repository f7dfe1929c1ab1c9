import { afterEach, expect, it, vi } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import { callerOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';
import { type DearCondition, dearPolicyText } from '../support/dear-conditions.ts';
import { countTurns } from '../support/dear-decisions.ts';
import { variable } from '../support/policy-documents.ts';

afterEach(() => void vi.restoreAllMocks());

const key = (index: number): string => `${'k'.repeat(126)}${10 + index}`;
const tags = Array.from({ length: 50 }, (_, index) => `<Tag><Key>${key(index)}</Key><Value>v</Value></Tag>`);
const document = `<CreateBucketConfiguration><Tags>${tags.join('')}</Tags></CreateBucketConfiguration>`;

it.each([`?${variable('aws:referer')}`, `*${variable('aws:referer')}z*`, '*zz*'])(
  'one request whose one session policy takes longer than a slice is decided in several turns: %s',
  async (value) => {
    const condition: DearCondition = {
      title: '',
      operator: 'ForAnyValue:StringLike',
      value,
      entries: [['aws:TagKeys', []]],
    };
    const session: unknown = JSON.parse(dearPolicyText(condition));
    const directory = directoryOf({
      identity: [{ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }],
      session: session as object,
    });
    const { request, authenticated } = received(
      { method: 'PUT', target: '/other', headers: [['Referer', 'k'.repeat(120)]] },
      callerOf('role-session', directory, session as object),
      document,
    );
    const counted = countTurns();
    const decided = await authorizeS3(request, authenticated, sourcesOf(directory, {}, []));
    counted.stop();
    expect(decided.isAllowed).toBe(true);
    expect(counted.most()).toBeLessThan(1.2 * stepsPerSlice);
  },
);
