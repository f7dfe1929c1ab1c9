import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { s3Keys } from '../../src/s3/condition-key-table.ts';
import { lookupKeysOf } from '../../src/s3/lookup-keys.ts';
import { type Asked, contextOf, namesOf, operationVectors, routed, understood } from './vectors.ts';

interface WrittenKey {
  /** One that ends in `/` stands for every key below it. */
  readonly key: string;
  readonly type: string;
  readonly known: 'request' | 'every-request' | 'signature' | 'caller' | 'store' | 'never';
  readonly reason?: string;
}

const { keys } = JSON.parse(
  readFileSync(new URL('../vectors/s3/condition-keys.json', import.meta.url), 'utf8'),
) as { keys: readonly WrittenKey[] };
const known = (kind: WrittenKey['known']): string[] =>
  keys.filter((entry) => entry.known === kind).map(({ key }) => key);
const isBelow = (name: string, key: string): boolean =>
  key.endsWith('/') ? name.startsWith(key) : name === key;

/** Every key that some vector shows with a value. */
const shown = new Set(
  operationVectors.flatMap(({ authorizations }) =>
    authorizations.flatMap(({ context, ownContext = {}, items = [] }) => {
      const asked: readonly Asked['context'][] = [
        context ?? {},
        ...Object.values(ownContext),
        ...items.map((item) => item.context),
      ];
      return asked.flatMap((entries) => Object.keys(entries));
    }),
  ),
);

describe('the list of context keys', () => {
  it('has each of the 94 once, with a reason where a proxy cannot know it', () => {
    expect(new Set(keys.map(({ key }) => key.toLowerCase())).size).toBe(94);
    const reasons = keys.filter(({ known: kind, reason }) => (kind === 'never') !== (reason !== undefined));
    expect(reasons).toEqual([]);
  });

  it('agrees with the table of the s3 keys on what they are and where they come from', () => {
    const kinds = {
      header: 'request',
      parameter: 'request',
      request: 'request',
      authentication: 'signature',
      store: 'store',
      never: 'never',
    } as const;
    const ofTable = s3Keys.map(({ key, type, source }) => `${key} ${type} ${kinds[source.from]}`);
    const ofList = keys.filter(({ key }) => key.startsWith('s3:'));
    const kindOf = (entry: WrittenKey) => (entry.known === 'every-request' ? 'request' : entry.known);
    expect(ofTable.sort()).toEqual(
      ofList.map((entry) => `${entry.key} ${entry.type} ${kindOf(entry)}`).sort(),
    );
  });

  it('gives the same reasons as the table', () => {
    const reasons = keys.filter(({ key, known: kind }) => key.startsWith('s3:') && kind === 'never');
    const ofTable = s3Keys.flatMap(({ key, source }) =>
      source.from === 'never' ? [[key, source.reason]] : [],
    );
    expect(Object.fromEntries(ofTable)).toEqual(
      Object.fromEntries(reasons.map(({ key, reason }) => [key, reason])),
    );
  });
});

describe('a key that', () => {
  it.each(known('request'))('comes from the request has a vector with a value: %s', (key) => {
    expect([...shown].filter((name) => isBelow(name, key))).not.toEqual([]);
  });

  it.each([...known('signature'), ...known('caller'), ...known('store'), ...known('never')])(
    'does not come from the request is in no vector: %s',
    (key) => {
      expect([...shown].filter((name) => isBelow(name, key))).toEqual([]);
    },
  );

  it.each(known('caller'))('identifies the caller has a test with the other aws keys: %s', (key) => {
    const tests = readFileSync(new URL('../authorize/context-keys.test.ts', import.meta.url), 'utf8');
    expect(tests).toContain(key.replace('<issuer>', 'login.example.com/a').replace(/^(?=aws:|login)/, "'"));
  });

  it.each(known('signature'))('describes the signature has a test of its own: %s', (key) => {
    const tests = readFileSync(new URL('./signature-keys.test.ts', import.meta.url), 'utf8');
    expect(tests).toContain(`'${key}'`);
  });

  it.each(known('store'))('only the store knows is looked up for some action: %s', (key) => {
    const asking = operationVectors.flatMap(({ authorizations }) =>
      authorizations
        .filter(({ refusal, items }) => refusal === undefined && items === undefined)
        .flatMap((vector) => understood(vector).permissions)
        .filter((permission) => lookupKeysOf(permission).includes(key.toLowerCase())),
    );
    expect(asking).not.toEqual([]);
  });
});

describe('the account of the resource', () => {
  it('is given with every request, and that of the bucket only where there is one', () => {
    for (const { name, routes, authorizations } of operationVectors) {
      if (authorizations[0]?.refusal !== undefined || name === 'CorsPreflight') continue;
      const [first] = routes;
      if (first === undefined) throw new Error(`no route of ${name}`);
      const told = new Map(routed(first).conditionKeys);
      expect(told.get('s3:ResourceAccount'), name).toEqual(['123456789012']);
      expect(told.get('aws:ResourceAccount'), name).toEqual(
        name === 'ListBuckets' ? undefined : ['123456789012'],
      );
    }
  });
});

describe('headers and parameters', () => {
  it('that are named like context keys become none', () => {
    const forged = [
      ['s3:ExistingObjectTag/team', 'blue'],
      ['s3:prefix', 'raw/'],
      ['aws:PrincipalTag/team', 'blue'],
    ] as const;
    const plain = { request: 'GET /data-lake/key' };
    expect(contextOf(routed(plain, forged).conditionKeys)).toEqual({});
  });

  it.each([
    ['DELETE /data-lake/key?uploadId=u1', { 'if-match': '"e"' }],
    ['PUT /data-lake/key?tagging', { 'x-amz-meta-team': 'blue' }],
    ['GET /data-lake/key', { 'if-match': '"e"', 'if-none-match': '"f"' }],
    ['GET /data-lake?uploads&prefix=raw&delimiter=%2F', {}],
    ['GET /?prefix=raw', {}],
    ['GET /data-lake/key?retention&versionId=v1', {}],
    ['PUT /data-lake/key?legal-hold&versionId=v1', {}],
    ['POST /data-lake/key?restore&versionId=v1', {}],
  ])(
    'of %s with %j give no keys, because its action knows none',
    (request, headers: Record<string, string>) => {
      let context: unknown = {};
      try {
        context = contextOf(routed({ request, headers }).conditionKeys);
      } catch {
        // A refusal gives nothing to policies either.
      }
      expect(context).toEqual({});
    },
  );
});

describe('the keys that only the store knows', () => {
  const objectTag = 's3:existingobjecttag/';
  const asksFor = (request: string, headers: Record<string, string> = {}): string[] =>
    routed({ request, headers }).permissions.flatMap((permission) =>
      lookupKeysOf(permission).includes(objectTag) ? namesOf([permission]) : [],
    );

  it.each([
    'PUT /data-lake/key',
    'DELETE /data-lake/key',
    'DELETE /data-lake/key?versionId=v1',
    'POST /data-lake/key?uploads',
    'PUT /data-lake/key?partNumber=1&uploadId=u1',
    'GET /data-lake/key?retention',
    'GET /data-lake/key?uploadId=u1',
    'GET /data-lake',
    'PUT /data-lake',
    'GET /',
  ])('are not the tags of an object for %s', (request) => {
    expect(asksFor(request)).toEqual([]);
  });

  /** Operations whose actions know `s3:ExistingObjectTag/<key>`. Source: Service Authorization Reference, Amazon S3. */
  const tagged = [
    'DeleteObjectAnnotation',
    'DeleteObjectTagging',
    'GetObject',
    'GetObjectAcl',
    'GetObjectAnnotation',
    'GetObjectAttributes',
    'GetObjectTagging',
    'GetObjectTorrent',
    'HeadObject',
    'ListObjectAnnotations',
    'PutObjectAcl',
    'PutObjectAnnotation',
    'PutObjectTagging',
    'SelectObjectContent',
    'UpdateObjectEncryption',
  ];

  it.each(operationVectors.map(({ name, authorizations }) => [name, authorizations] as const))(
    'have the tags of the object for %s when its actions know them',
    (name, authorizations) => {
      for (const vector of authorizations) {
        if (vector.refusal !== undefined || vector.items !== undefined) continue;
        const [own, ...others] = routed(vector).permissions;
        if (own === undefined) continue;
        expect(lookupKeysOf(own).includes(objectTag)).toBe(tagged.includes(name));
        const reads = others.filter(({ action }) =>
          /^s3:GetObject(?:Version)?(?:Attributes|Torrent)?$/.test(action),
        );
        expect(reads.every((permission) => lookupKeysOf(permission).includes(objectTag))).toBe(true);
      }
    },
  );

  it('are the tags of the source for a copy, and of the object for If-Match', () => {
    expect(asksFor('PUT /data-lake/key', { 'x-amz-copy-source': '/sources/a' })).toEqual([
      's3:GetObject arn:aws:s3:::sources/a',
    ]);
    expect(asksFor('PUT /data-lake/key', { 'if-match': '"e"' })).toEqual([
      's3:GetObject arn:aws:s3:::data-lake/key',
    ]);
  });

  it('do not exist for what is in no bucket, whatever its name looks like', () => {
    const target = 'arn:aws:sqs:::data-lake';
    const body = `<NotificationConfiguration><QueueConfiguration><Queue>${target}</Queue></QueueConfiguration></NotificationConfiguration>`;
    const { permissions } = understood({ request: 'PUT /data-lake?notification', body });
    expect(permissions.map((permission) => lookupKeysOf(permission).length)).toEqual([2, 0]);
  });

  it('do not exist for a bucket that is not made yet, nor for all buckets', () => {
    for (const request of ['PUT /data-lake', 'GET /'])
      expect(routed({ request }).permissions.flatMap((permission) => lookupKeysOf(permission))).toEqual([]);
  });
});
