import { describe, expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { callerOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';

const arn = (resource: string): string => `arn:aws:s3:::${resource}`;
const everything = { Effect: 'Allow', Action: 's3:*', Resource: '*' };

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

async function isAllowed(
  { method, target, headers = [], body }: Asked,
  ...statements: readonly object[]
): Promise<boolean> {
  const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement: statements }] });
  const wire = { method, target, headers: [...headers] };
  const { request, authenticated } = received(wire, callerOf('user', directory), body);
  const decided = await authorizeS3(request, authenticated, sourcesOf(directory));
  return decided.isAllowed && decided.deniedItems.length === 0;
}

const denied = (Resource: string, Action = 's3:*'): object => ({
  Effect: 'Deny',
  Action,
  Resource: arn(Resource),
});
const allowed = (Resource: string, Action = 's3:*'): object => ({
  Effect: 'Allow',
  Action,
  Resource: arn(Resource),
});

const copy = (source: string): Asked => ({
  method: 'PUT',
  target: '/mine/copy',
  headers: [['x-amz-copy-source', source]],
});
const partCopy = (source: string): Asked => ({
  ...copy(source),
  target: '/mine/copy?partNumber=1&uploadId=u',
});

describe('the source of a copy', () => {
  describe.each([
    ['CopyObject', copy],
    ['UploadPartCopy', partCopy],
  ])('of %s', (_, make) => {
    it.each([
      ['data/secret%252Etxt', 'data/secret.txt'],
      ['data/se%2563ret.txt', 'data/secret.txt'],
      ['data/x%252F..%252Fsecret.txt', 'data/secret.txt'],
      ['data/secret.txt/', 'data/secret.txt'],
      ['data/secret.txt//', 'data/secret.txt'],
      ['data/secret%252Etxt/', 'data/secret.txt'],
      ['data//secret.txt/', 'data/secret.txt'],
    ])('%s must also be allowed as %s', async (source, other) => {
      expect(await isAllowed(make(source), everything)).toBe(true);
      expect(await isAllowed(make(source), everything, denied(other))).toBe(false);
      const condition = { StringEquals: { 's3:x-amz-copy-source': other } };
      expect(await isAllowed(make(source), everything, { ...denied('mine/*'), Condition: condition })).toBe(
        false,
      );
    });
  });

  it('is one for a key without escapes and without a final slash', async () => {
    const own = [allowed('mine/*'), allowed('data/a b%'), allowed('data/*.csv')];
    expect(await isAllowed(copy('data/a%20b%25'), ...own)).toBe(true);
    expect(await isAllowed(copy('data/x.csv'), ...own)).toBe(true);
  });
});

describe('what is kept with an object', () => {
  const of = (target: string): Asked => ({ method: 'GET', target });

  it.each(['tagging', 'retention', 'legal-hold', 'acl', 'tagging&versionId=v'])(
    '(%s) must be allowed without a final slash of the key too',
    async (query) => {
      expect(await isAllowed(of(`/data/k/?${query}`), everything)).toBe(true);
      expect(await isAllowed(of(`/data/k/?${query}`), everything, denied('data/k'))).toBe(false);
      expect(await isAllowed(of(`/data/k//?${query}`), everything, denied('data/k'))).toBe(false);
      expect(await isAllowed(of(`/data/k/?${query}`), allowed('data/k/*'))).toBe(false);
    },
  );

  it.each(['tagging', 'retention', 'legal-hold', 'acl'])(
    '(%s) may not be denied with a final slash, but need not be allowed with one',
    async (query) => {
      expect(await isAllowed(of(`/data/k?${query}`), everything, denied('data/k/*'))).toBe(false);
      expect(await isAllowed(of(`/data/k?${query}`), everything, denied('data/k'))).toBe(false);
      expect(await isAllowed(of(`/data/k?${query}`), allowed('data/k'))).toBe(true);
      expect(await isAllowed(of(`/data/k.csv?${query}`), allowed('data/*.csv'))).toBe(true);
    },
  );

  it.each(['tagging', 'retention', 'legal-hold', 'acl'])(
    '(%s) is not denied by a NotResource that exempts the key, or neither of its names',
    async (query) => {
      const unless = (...keys: readonly string[]): object => ({
        Effect: 'Deny',
        Action: 's3:*Object*',
        NotResource: keys.map(arn),
      });
      expect(await isAllowed(of(`/data/k.csv?${query}`), everything, unless('data/*.csv'))).toBe(true);
      expect(await isAllowed(of(`/data/k?${query}`), everything, unless('data/k'))).toBe(true);
      expect(await isAllowed(of(`/data/k?${query}`), everything, unless('data/k/'))).toBe(false);
      expect(await isAllowed(of(`/data/k?${query}`), everything, unless('data/other'))).toBe(false);
      expect(await isAllowed(of(`/data/k/?${query}`), everything, unless('data/k/'))).toBe(false);
      expect(await isAllowed(of(`/data/x/../k?${query}`), everything, unless('data/x/../k'))).toBe(false);
      const both = [unless('data/k'), denied('data/k/')];
      expect(await isAllowed(of(`/data/k?${query}`), everything, ...both)).toBe(false);
    },
  );

  it('is not its content, which no store finds under the other name', async () => {
    expect(await isAllowed(of('/data/k/'), everything, denied('data/k'))).toBe(true);
    expect(await isAllowed(of('/data/k'), everything, denied('data/k/*'))).toBe(true);
  });
});

describe('what is deleted', () => {
  const entryOf = (key: string, version = ''): Asked => ({
    method: 'POST',
    target: '/data?delete',
    body: `<Delete><Object><Key>${key}</Key>${version}</Object></Delete>`,
  });

  it.each<[what: string, asked: (key: string) => Asked]>([
    ['an object', (key) => ({ method: 'DELETE', target: `/data/${key}` })],
    ['a version', (key) => ({ method: 'DELETE', target: `/data/${key}?versionId=null` })],
    ['an entry of a multi-delete', (key) => entryOf(key)],
    ['a version in a multi-delete', (key) => entryOf(key, '<VersionId>null</VersionId>')],
  ])('(%s) may not be denied with a final slash, but need not be allowed with one', async (_, asked) => {
    expect(await isAllowed(asked('k'), everything)).toBe(true);
    expect(await isAllowed(asked('k'), everything, denied('data/k/*'))).toBe(false);
    expect(await isAllowed(asked('x//k'), everything, denied('data/x/k/'))).toBe(false);
    expect(await isAllowed(asked('k/.'), everything, denied('data/k/'))).toBe(false);
    expect(await isAllowed(asked('k'), everything, denied('data/k/x'))).toBe(true);
    expect(await isAllowed(asked('k'), everything, denied('data/*/'))).toBe(false);
    expect(await isAllowed(asked('k'), allowed('data/k'))).toBe(true);
    expect(await isAllowed(asked('k.csv'), allowed('data/*.csv'))).toBe(true);
    const others = { Effect: 'Deny', Action: 's3:*', NotResource: arn('data/*.csv') };
    expect(await isAllowed(asked('k.csv'), everything, others)).toBe(true);
    expect(await isAllowed(asked('k/'), everything, denied('data/k'))).toBe(true);
  });
});

describe('a version id without the dashes of a UUID', () => {
  const dashed = '0f7e2a2e-1111-4a4a-8b8b-0123456789ab';
  const plain = dashed.replaceAll('-', '');
  const about = (id: string): object => ({ StringEquals: { 's3:versionid': id } });
  const entry = `<Delete><Object><Key>k</Key><VersionId>${plain}</VersionId></Object></Delete>`;

  it.each<[what: string, asked: Asked]>([
    ['a request', { method: 'GET', target: `/data/k?versionId=${plain}` }],
    ['a request, in capitals', { method: 'DELETE', target: `/data/k?versionId=${plain.toUpperCase()}` }],
    ['the source of a copy', copy(`data/k?versionId=${plain}`)],
    ['an entry of a multi-delete', { method: 'POST', target: '/data?delete', body: entry }],
  ])('is met by policies about the version, as %s', async (_, asked) => {
    expect(await isAllowed(asked, everything)).toBe(true);
    expect(await isAllowed(asked, everything, { ...denied('data/*'), Condition: about(dashed) })).toBe(false);
    const either = { ...everything, Condition: about(plain) };
    expect(await isAllowed(asked, allowed('mine/*'), either)).toBe(false);
  });
});
