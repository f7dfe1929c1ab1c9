import { describe, expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { LookupSubject, StoreTag } from '../../src/authorize/store-lookup.ts';
import { callerOf, directoryOf, type OwnPolicies, received, sourcesOf } from '../support/authorization.ts';

const wire = { method: 'GET', target: '/data/k', headers: [] } as const;
type Tags = Partial<Record<LookupSubject['kind'], readonly StoreTag[]>>;

const policy = (...Statement: readonly object[]): object => ({ Version: '2012-10-17', Statement });
const statement = (Effect: string, tag?: string, rest: object = {}): object => ({
  Effect,
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::data/*',
  ...(tag === undefined ? {} : { Condition: { StringEquals: { [tag]: 'blue' } } }),
  ...rest,
});
const objectTag = 's3:ExistingObjectTag/team';
const bucketTag = 'aws:ResourceTag/team';
const blue: readonly StoreTag[] = [['team', 'blue']];

/** The result of a read by a role session, and what the store is asked for; `tags` is what it can say. */
async function read(
  policies: OwnPolicies,
  tags: Tags,
  target: string = wire.target,
): Promise<{ effect: string; looked: string[] }> {
  const directory = directoryOf(policies);
  const looked: string[] = [];
  const lookup = {
    tags: async ({
      subject,
    }: {
      readonly subject: LookupSubject;
    }): Promise<readonly StoreTag[] | undefined> => {
      looked.push(subject.kind);
      return tags[subject.kind];
    },
  };
  const caller = callerOf('role-session', directory, policies.session);
  const { request, authenticated } = received({ ...wire, target }, caller);
  const { decision } = await authorizeS3(request, authenticated, sourcesOf(directory, { lookup }));
  return { effect: decision.effect, looked };
}

describe('tags are looked up', () => {
  it('not when a statement of another set already allows', async () => {
    const bucketPolicies = { data: policy(statement('Allow', objectTag, { Principal: '*' })) };
    const identity = [policy(statement('Allow'))];
    expect(await read({ identity, bucketPolicies }, {})).toEqual({ effect: 'allow', looked: [] });
  });

  it('not when a bucket policy allows by itself', async () => {
    const bucketPolicies = { data: policy(statement('Allow', undefined, { Principal: '*' })) };
    const identity = [policy(statement('Allow', objectTag))];
    expect(await read({ identity, bucketPolicies }, {})).toEqual({ effect: 'allow', looked: [] });
  });

  it('not when the boundary allows nothing, whatever the tags', async () => {
    const boundary = policy(statement('Allow', undefined, { Resource: 'arn:aws:s3:::other/*' }));
    const identity = [policy(statement('Allow'))];
    const session = policy(statement('Allow', objectTag));
    expect(await read({ identity, boundary, session }, {})).toMatchObject({ effect: 'deny', looked: [] });
  });

  it('for every Deny that depends on them, even if something allows', async () => {
    const identity = [policy(statement('Allow'), statement('Deny', objectTag))];
    expect(await read({ identity }, {})).toMatchObject({ effect: 'deny', looked: ['object-tags'] });
    expect(await read({ identity }, { 'object-tags': [] })).toMatchObject({ effect: 'allow' });
    expect(await read({ identity }, { 'object-tags': blue })).toMatchObject({ effect: 'deny' });
  });

  it('of the other kind when the store does not know one', async () => {
    const identity = [policy(statement('Allow', objectTag), statement('Allow', bucketTag))];
    expect(await read({ identity }, { 'object-tags': blue })).toMatchObject({ effect: 'allow' });
    expect(await read({ identity }, { 'bucket-tags': blue })).toMatchObject({ effect: 'allow' });
    expect(await read({ identity }, { 'bucket-tags': [] })).toMatchObject({ effect: 'deny' });
    expect(await read({ identity }, {})).toMatchObject({ effect: 'deny' });
  });

  it('of one kind only where an Allow of the other is not needed', async () => {
    const identity = [
      policy(statement('Allow'), statement('Allow', bucketTag), statement('Deny', objectTag)),
    ];
    const boundary = policy(statement('Allow'), statement('Allow', bucketTag));
    const told = await read({ identity, boundary }, { 'object-tags': [] });
    expect(told).toEqual({ effect: 'allow', looked: ['object-tags'] });
  });

  it('not for an Allow under a name that need not be allowed', async () => {
    const anyAction = { Action: 's3:*' };
    const identity = [
      policy(
        statement('Allow', undefined, { ...anyAction, Resource: 'arn:aws:s3:::data/k' }),
        statement('Allow', objectTag, anyAction),
      ),
    ];
    expect(await read({ identity }, {}, '/data/k?acl')).toEqual({ effect: 'allow', looked: [] });
  });

  it('for a Deny under a name that need not be allowed', async () => {
    const anyAction = { Action: 's3:*' };
    const identity = [
      policy(
        statement('Allow', undefined, anyAction),
        statement('Deny', objectTag, { ...anyAction, Resource: 'arn:aws:s3:::data/k/' }),
      ),
    ];
    expect(await read({ identity }, {}, '/data/k?acl')).toMatchObject({ effect: 'deny' });
    expect(await read({ identity }, { 'object-tags': blue }, '/data/k?acl')).toMatchObject({
      effect: 'deny',
    });
    const allowed = { effect: 'allow', looked: ['object-tags'] };
    expect(await read({ identity }, { 'object-tags': [] }, '/data/k?acl')).toEqual(allowed);
  });
});
