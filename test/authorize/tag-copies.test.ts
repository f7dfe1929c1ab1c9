import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Authorized, authorizeS3, type Denied } from '../../src/authorize/authorize-s3.ts';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import { callerOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';
import { countTurns, dearPolicy, longHeaders } from '../support/dear-decisions.ts';
import type { WireRequest } from '../support/raw-requests.ts';

afterEach(() => void vi.restoreAllMocks());

type Headers = Readonly<Record<string, string>>;

interface Copied {
  readonly decided: Authorized | Denied;
  readonly lookups: number;
}

async function copied(
  statements: readonly object[],
  headers: Headers,
  tags: readonly StoreTag[] | undefined,
  more: { readonly session?: object; readonly long?: WireRequest['headers'] } = {},
): Promise<Copied> {
  const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement: statements }] });
  const sent = Object.entries({ 'x-amz-copy-source': 'data/from', ...headers });
  const wire = { method: 'PUT', target: '/data/to', headers: [...sent, ...(more.long ?? [])] };
  const caller = callerOf(more.session === undefined ? 'user' : 'role-session', directory, more.session);
  const { request, authenticated } = received(wire, caller);
  let lookups = 0;
  const lookup = {
    tags: async (): Promise<readonly StoreTag[] | undefined> => {
      lookups += 1;
      return tags;
    },
  };
  return { decided: await authorizeS3(request, authenticated, sourcesOf(directory, { lookup })), lookups };
}

const replace = { 'x-amz-tagging-directive': 'REPLACE' };
const replaceAll = { ...replace, 'x-amz-metadata-directive': 'REPLACE' };
const everything = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
const objects = { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: '*' };
const setTags = { Effect: 'Allow', Action: 's3:PutObjectTagging', Resource: '*' };
const readTags = { Effect: 'Allow', Action: 's3:GetObjectTagging', Resource: '*' };
const mustBe = (value: string): object => ({
  Effect: 'Deny',
  Action: 's3:PutObject',
  Resource: '*',
  Condition: { StringNotEquals: { 's3:RequestObjectTag/class': value } },
});
const secret: readonly StoreTag[] = [['class', 'secret']];
const fresh = { 'x-amz-tagging': 'class=new' };

describe('a copy that replaces the tags, which the store might keep', () => {
  it.each<
    [who: string, isAllowed: boolean, statements: object[], headers: Headers, tags: readonly StoreTag[]]
  >([
    ['may do everything', true, [everything], replace, secret],
    ['may not touch tags, of an object without tags', true, [objects], replace, []],
    ['may not touch tags, of an object with tags', false, [objects], replace, secret],
    ['may not read tags', false, [objects, setTags], replace, secret],
    ['may not set tags', false, [objects, readTags], replace, secret],
    ['may read and set them', true, [objects, readTags, setTags], replace, secret],
    ['must set others', false, [everything, mustBe('new')], { ...replace, ...fresh }, secret],
    ['must set some, which it has not', false, [everything, mustBe('new')], { ...replace, ...fresh }, []],
    ['must set the same', true, [everything, mustBe('new')], { ...replace, ...fresh }, [['class', 'new']]],
  ])('by a caller who %s is allowed: %s', async (_, isAllowed, statements, headers, tags) => {
    const { decided } = await copied(statements, headers, tags);
    expect(decided.isAllowed).toBe(isAllowed);
    if (!decided.isAllowed) return;
    expect(decided.request.headers.get('x-amz-tagging-directive')).toBe('REPLACE');
    expect(decided.request.headers.get('x-amz-tagging')).toBe(
      new Map(Object.entries(headers)).get('x-amz-tagging'),
    );
  });

  it('asks for nothing where the metadata is replaced too, which every store obeys', async () => {
    const cases: readonly (readonly [object[], Headers])[] = [
      [[objects], replaceAll],
      [[everything, mustBe('new')], { ...replaceAll, ...fresh }],
    ];
    for (const [statements, headers] of cases) {
      const { decided, lookups } = await copied(statements, headers, secret);
      expect([decided.isAllowed, lookups]).toEqual([true, 0]);
    }
  });

  it('goes unchanged to a store that does not say what the tags are', async () => {
    const { decided } = await copied([objects], replace, undefined);
    expect(decided.isAllowed).toBe(true);
  });
});

describe('a copy whose decisions are costly', () => {
  it.each<[what: string, headers: Headers]>([
    ['takes tags over', {}],
    ['replaces tags', replace],
  ])('leaves room for other work when it %s', async (_, headers) => {
    const source = { 'x-amz-copy-source': 'data/a//b%2541%5Cc//' };
    const counted = countTurns();
    const { decided } = await copied([everything], { ...headers, ...source }, secret, {
      session: dearPolicy,
      long: longHeaders,
    });
    if (!decided.isAllowed) throw new Error('not allowed');
    expect(decided.request.seesMissing.map((permission) => decided.permits(permission))).toEqual([true]);
    counted.stop();
    expect(decided.decision.fault).toBeUndefined();
    // The pause comes soon after the slice is used up.
    expect(counted.most()).toBeLessThan(2 * stepsPerSlice);
  });
});
