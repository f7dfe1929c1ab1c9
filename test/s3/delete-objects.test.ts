import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/s3/operation.ts';
import { refusalOf, understood } from './vectors.ts';

const written = (content: string) => ({
  request: 'POST /data-lake?delete',
  body: `<Delete>${content}</Delete>`,
});
const entry = (content: string): string => `<Object>${content}</Object>`;
const keyed = (key: string, more = ''): string => entry(`<Key>${key}</Key>${more}`);

function batchOf(content: string): Batch {
  const { batch, permissions } = understood(written(content));
  if (batch === undefined) throw new Error('no batch');
  expect(permissions).toEqual([]);
  return batch;
}

describe('a multi-delete', () => {
  it.each([
    ['no keys', ''],
    ['quietness only', '<Quiet>true</Quiet>'],
    ['more than a thousand keys', Array.from({ length: 1001 }, (_, index) => keyed(`k${index}`)).join('')],
    ['a key without a name', entry('<VersionId>v</VersionId>')],
    ['an empty key', keyed('')],
    ['two keys in one entry', entry('<Key>a</Key><Key>b</Key>')],
    ['two versions in one entry', keyed('a', '<VersionId>1</VersionId><VersionId>2</VersionId>')],
    ['an entry of another kind', keyed('a', '<Prefix>b</Prefix>')],
    ['elements in a key', keyed('a<b/>')],
    ['elements in a version', keyed('a', '<VersionId><b/></VersionId>')],
    ['a key that climbs out', keyed('../others/a')],
    ['a key that climbs out, encoded', keyed('a/&#46;&#46;/..&#47;../b')],
    ['a prefix', `${keyed('a')}<Prefix>b</Prefix>`],
    ['an object in other capitals', `${keyed('a')}<object><Key>b</Key></object>`],
    ['two kinds of quietness', `${keyed('a')}<Quiet>true</Quiet><Quiet>false</Quiet>`],
    ['unclear quietness', `${keyed('a')}<Quiet>yes</Quiet>`],
  ])('of %s is refused', (_, content) => {
    expect(refusalOf(() => understood(written(content)))).toBe('MalformedXML');
  });

  // Ceph RGW would delete the version `v1` of the key `b_a`.
  it.each(['v1_b', '_', ' ', 'v1 ', '../v1'])('of the version %j is refused', (version) => {
    const content = `${keyed('b')}${keyed('a', `<VersionId>${version}</VersionId>`)}`;
    expect(refusalOf(() => understood(written(content)))).toBe('InvalidArgument');
  });

  it('of a key that is too long in bytes is refused', () => {
    expect(refusalOf(() => understood(written(keyed('a'.repeat(1025)))))).toBe('KeyTooLongError');
    expect(refusalOf(() => understood(written(keyed('é'.repeat(513)))))).toBe('KeyTooLongError');
    expect(batchOf(keyed('é'.repeat(512))).items).toHaveLength(1);
  });

  it('decides on exactly the keys that it passes on', () => {
    const keys = ['a&amp;b', '<![CDATA[c<d]]>', ' e ', '&#102;', 'g*', 'h/', '100%25', '\u0130\u{1f600}'];
    const batch = batchOf(keys.map((key) => keyed(key)).join(''));
    const names = ['a&b', 'c<d', ' e ', 'f', 'g*', 'h/', '100%25', '\u0130\u{1f600}'];
    expect(batch.items.map(({ permissions: [own] }) => own?.resource)).toEqual(
      names.map((name) => `arn:aws:s3:::data-lake/${name}`),
    );
    expect(batch.items.map(({ permissions: [own] }) => own?.object?.key)).toEqual(names);
    const again = batchOf(
      batch
        .writeBody(names.map((_, index) => index))
        .toString()
        .replace(/^.*?<Delete[^>]*>|<\/Delete>$/gs, ''),
    );
    expect(again.items).toEqual(batch.items);
  });

  it('passes on what is allowed and reports what is denied, and nothing else of the store', () => {
    const batch = batchOf(
      `${keyed('a')}${keyed('b', '<VersionId>v2</VersionId>')}${keyed('c', '<ETag>e</ETag>')}<Quiet>true</Quiet>`,
    );
    const body = batch.writeBody([0, 2]).toString();
    expect(body).toContain(
      '<Object><Key>a</Key></Object><Object><Key>c</Key><ETag>e</ETag></Object><Quiet>true</Quiet>',
    );
    expect(body).not.toContain('v2');
    const answer = Buffer.from(
      '<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>c</Key><Code>PreconditionFailed</Code></Error><Internal>x</Internal></DeleteResult>',
    );
    const result = batch.writeResult(answer, [1]).toString();
    expect(result).toContain('<Deleted><Key>a</Key></Deleted>');
    expect(result).toContain('<Error><Key>c</Key><Code>PreconditionFailed</Code></Error>');
    expect(result).toContain('<Error><Key>b</Key><VersionId>v2</VersionId><Code>AccessDenied</Code>');
    expect(result).not.toContain('Internal');
  });

  it('in which nothing is allowed is answered without the store', () => {
    const result = batchOf(keyed('a')).writeResult(undefined, [0]).toString();
    expect(result).toMatch(/<DeleteResult[^>]*><Error><Key>a<\/Key><Code>AccessDenied<\/Code>/);
  });

  it.each([
    '',
    'x',
    '<Error><Code>SlowDown</Code></Error>',
    '<!DOCTYPE a><DeleteResult/>',
    '<DeleteResult><Deleted>',
  ])('does not guess what the store did when it answers %j', (answer) => {
    const batch = batchOf(keyed('a'));
    const outcome = refusalOf(() => {
      batch.writeResult(Buffer.from(answer), []);
      throw new Error('written');
    });
    expect(outcome).toBe('InternalError');
  });
});
