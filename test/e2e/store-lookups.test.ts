import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const role = (name: string, ...statements: string[]): string => `
    - name: ${name}
      trustPolicy: ${trust}
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [${statements.join(', ')}] } }`;
const when = (operator: string, key: string, value: string): string =>
  `, Condition: { ${operator}: { "${key}": "${value}" } }`;
const statement = (effect: string, actions: string, condition = ''): string =>
  `{ Effect: ${effect}, Action: [${actions}], Resource: "arn:aws:s3:::data/*"${condition} }`;

const names = [
  'counter',
  'reader',
  'guarded',
  'variable',
  'cleaner',
  'tagged-list',
  'plain',
  'owner',
  'unless-blue',
] as const;
const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:${role('copier', statement('Allow', '"s3:GetObject", "s3:PutObject"'))}${role('counter', statement('Allow', '"s3:GetObject"'), statement('Allow', '"s3:GetObjectTagging"', when('StringEquals', 's3:ExistingObjectTag/team', 'blue')))}${role('reader', statement('Allow', '"s3:GetObject", "s3:GetObjectTagging"', when('StringEquals', 's3:ExistingObjectTag/Team', 'blue')))}${role(
    'guarded',
    statement('Allow', '"s3:*"'),
    statement(
      'Deny',
      '"s3:GetObject", "s3:PutObject", "s3:DeleteObject"',
      when('StringEquals', 's3:ExistingObjectTag/class', 'secret'),
    ),
  )}${role('variable', `{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/\${s3:ExistingObjectTag/team}/*" }`)}${role(
    'cleaner',
    statement('Allow', '"s3:DeleteObject"'),
    statement('Allow', '"s3:GetObject"', when('StringEquals', 's3:ExistingObjectTag/team', 'blue')),
  )}${role('tagged-list', statement('Allow', '"s3:GetObject"'), `{ Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::data"${when('StringEquals', 'aws:ResourceTag/open', 'yes')} }`)}${role('plain', statement('Allow', '"s3:GetObject"'))}${role('owner', statement('Allow', '"s3:GetObject", "s3:GetObjectVersion"', when('StringNotEquals', 's3:ExistingObjectTag/owner', 'other')))}${role('unless-blue', statement('Allow', '"s3:GetObject"'), statement('Deny', '"s3:GetObject"', when('StringEquals', 's3:ExistingObjectTag/team', 'green')))}
`;

describe('tags that decisions depend on', () => {
  let sidecar: TestSidecar;
  let store: S3Client;
  const clients = new Map<string, S3Client>();
  const get = (name: string, Key: string): Promise<string> =>
    outcome((clients.get(name) ?? store).send(new GetObjectCommand({ Bucket: 'data', Key })));

  beforeAll(async () => {
    sidecar = await startSidecar({ directory });
    store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    await store.send(new CreateBucketCommand({ Bucket: 'data' }));
    for (const [Key, Tagging] of [
      ['blue/a', 'team=blue'],
      ['red/a', 'team=red'],
      ['blue/red', 'team=red'],
      ['plan', 'class=secret'],
      ['two', 'team=blue&TEAM=red'],
      ['untagged', ''],
    ] as const) {
      await store.send(new PutObjectCommand({ Bucket: 'data', Key, Body: Key, Tagging }));
    }
    for (const name of names)
      clients.set(name, s3Client(sidecar.url, await assume(sidecar.url, alice, name)));
  });
  afterAll(() => sidecar.stop());
  beforeEach(() => void sidecar.seen.splice(0));

  it('are looked up, and can allow a request', async () => {
    expect(await get('reader', 'blue/a')).toBe('allowed');
    expect(sidecar.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /data/blue/a?tagging=',
      'GET /data/blue/a?x-id=GetObject'.replace('?x-id=GetObject', ''),
    ]);
  });

  it.each(['red/a', 'untagged', 'missing'])('refuse %s to a role for another tag', async (Key) => {
    expect(await get('reader', Key)).toBe('AccessDenied 403');
    expect(sidecar.seen.map(({ target }) => target)).toEqual([`/data/${Key}?tagging=`]);
  });

  it('apply a Deny to what is tagged, and to nothing else', async () => {
    expect(await get('guarded', 'plan')).toBe('AccessDenied 403');
    expect(await get('guarded', 'untagged')).toBe('allowed');
    expect(await get('guarded', 'missing')).toBe('AccessDenied 403');
  });

  it('are no protection against overwriting and deleting, as on AWS', async () => {
    const guarded = clients.get('guarded') ?? store;
    sidecar.seen.splice(0);
    await store.send(
      new PutObjectCommand({ Bucket: 'data', Key: 'doomed', Body: 'x', Tagging: 'class=secret' }),
    );
    expect(
      await outcome(guarded.send(new PutObjectCommand({ Bucket: 'data', Key: 'doomed', Body: 'y' }))),
    ).toBe('allowed');
    expect(await outcome(guarded.send(new DeleteObjectCommand({ Bucket: 'data', Key: 'doomed' })))).toBe(
      'allowed',
    );
    expect(sidecar.seen.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('fill in variables in resources', async () => {
    expect(await get('variable', 'blue/a')).toBe('allowed');
    expect(await get('variable', 'blue/red')).toBe('AccessDenied 403');
    expect(await get('variable', 'untagged')).toBe('AccessDenied 403');
  });

  it('meet no Allow, and every Deny, where their keys differ only in case', async () => {
    expect(await get('reader', 'two')).toBe('AccessDenied 403');
    expect(await get('unless-blue', 'two')).toBe('AccessDenied 403');
  });

  it('leave statements about other keys alone even then', async () => {
    expect(await get('owner', 'two')).toBe('allowed');
    expect(await get('guarded', 'two')).toBe('allowed');
    expect(sidecar.logged.join('')).not.toContain('deciding failed');
  });

  it('are set as requested, even where their keys differ only in case', async () => {
    const Tagging = 'team=blue&Team=green';
    const guarded = clients.get('guarded') ?? store;
    await guarded.send(new PutObjectCommand({ Bucket: 'data', Key: 'both', Body: 'x', Tagging }));
    const { TagSet } = await store.send(new GetObjectTaggingCommand({ Bucket: 'data', Key: 'both' }));
    expect(TagSet?.map(({ Key, Value }) => `${Key}=${Value}`).sort()).toEqual(['Team=green', 'team=blue']);
  });

  it('are absent from an object without them, which negated operators take for a match', async () => {
    expect(await get('owner', 'untagged')).toBe('allowed');
  });

  it('are looked up once, whatever depends on them', async () => {
    const head = (clients.get('reader') ?? store).send(
      new HeadObjectCommand({ Bucket: 'data', Key: 'blue/a' }),
    );
    expect(await outcome(head)).toBe('allowed');
    expect(sidecar.seen.filter(({ target }) => target.includes('tagging'))).toHaveLength(1);
  });

  it('also decide which parts of an answer are shown', async () => {
    const count = async (name: string, Key: string): Promise<number | undefined> => {
      const result = await (clients.get(name) ?? store).send(new GetObjectCommand({ Bucket: 'data', Key }));
      return result.TagCount;
    };
    expect(await count('counter', 'blue/a')).toBe(1);
    expect(await count('counter', 'red/a')).toBeUndefined();
    expect(await count('plain', 'blue/a')).toBeUndefined();
  });

  it('are not looked up for roles that do not depend on them', async () => {
    expect(await get('plain', 'blue/a')).toBe('allowed');
    expect(sidecar.seen).toHaveLength(1);
  });

  it('are those of the requested version', async () => {
    const versioned = (clients.get('reader') ?? store).send(
      new GetObjectTaggingCommand({ Bucket: 'data', Key: 'blue/a', VersionId: 'null' }),
    );
    // The role has the action for the current version only.
    expect(await outcome(versioned)).toBe('AccessDenied 403');
  });

  it('of a bucket lead to a refusal when the store does not know them', async () => {
    // The demo store answers 501 to GetBucketTagging; a 404 then stays hidden.
    expect(await get('tagged-list', 'missing')).toBe('AccessDenied 403');
    expect(await get('tagged-list', 'blue/a')).toBe('allowed');
  });
});

describe('a store that is asked for tags', () => {
  let answer: (target: string) => { status: number; body: string } | 'hang up';
  let running = 0;
  let most = 0;
  let server: Server;
  let sidecar: TestSidecar;
  let reader: S3Client;
  const objectsRead: string[] = [];
  const deleted: (string | undefined)[] = [];
  const directives: unknown[] = [];

  beforeAll(async () => {
    server = createServer((message, response) => {
      const target = message.url ?? '';
      message.setEncoding('utf8').on('data', (text: string) => {
        deleted.push(...[...text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key));
      });
      if (!target.includes('tagging')) objectsRead.push(target);
      if (message.method === 'PUT') directives.push(message.headers['x-amz-tagging-directive']);
      running += 1;
      most = Math.max(most, running);
      const given = answer(target);
      setTimeout(() => {
        running -= 1;
        if (given === 'hang up') message.socket.destroy();
        else response.writeHead(given.status, { 'content-type': 'application/xml' }).end(given.body);
      }, 5);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const backend = {
      endpoint: `http://127.0.0.1:${port}`,
      accessKeyId: 'S',
      secretAccessKey: 'secret-of-store',
    };
    sidecar = await startSidecar({
      directory,
      backend: { ...backend, accessKeyId: 'STORE' },
      supports: ['conditionalBatchDelete'],
    });
    reader = s3Client(sidecar.url, await assume(sidecar.url, alice, 'owner'));
  });
  afterAll(async () => {
    await sidecar.stop();
    server.close();
  });
  afterEach(() => {
    objectsRead.splice(0);
    directives.splice(0);
  });

  const error = (code: string): string => `<Error><Code>${code}</Code><Message>no</Message></Error>`;
  const read = (): Promise<string> =>
    outcome(reader.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));
  const tags = (...pairs: string[]): string =>
    `<Tagging><TagSet>${pairs.map((pair) => `<Tag>${pair}</Tag>`).join('')}</TagSet></Tagging>`;

  it.each([
    ['refuses', 403, error('AccessDenied'), 'AccessDenied 403'],
    ['does not know tags', 501, error('NotImplemented'), 'AccessDenied 403'],
    ['answers a page of something else', 404, '<html>not here</html>', 'AccessDenied 403'],
    ['redirects', 307, error('TemporaryRedirect'), 'AccessDenied 403'],
    ['is overloaded', 503, error('SlowDown'), 'ServiceUnavailable 503'],
    ['fails', 500, error('InternalError'), 'ServiceUnavailable 503'],
    ['refuses our key', 403, error('SignatureDoesNotMatch'), 'ServiceUnavailable 503'],
    ['answers nonsense', 200, 'nonsense', 'ServiceUnavailable 503'],
    ['answers another document', 200, '<Other/>', 'ServiceUnavailable 503'],
    ['answers no tag set', 200, '<Tagging/>', 'ServiceUnavailable 503'],
    ['answers a tag without a key', 200, tags('<Value>x</Value>'), 'ServiceUnavailable 503'],
    ['hides a tag in an entity', 200, `<!DOCTYPE a [<!ENTITY e "x">]>${tags()}`, 'ServiceUnavailable 503'],
    ['answers without end', 200, tags(`<Key>${'x'.repeat(300_000)}</Key>`), 'ServiceUnavailable 503'],
  ])('and %s allows nothing', async (_, status, body, expected) => {
    answer = () => ({ status, body });
    expect(await read()).toBe(expected);
    expect(objectsRead).toEqual([]);
  });

  // versitygw 1.8 answers 405 for the tags of an object whose newest version is a delete marker.
  it.each([
    ['has been deleted', 404, ['/data/k', '/data/k']],
    ['is there', 200, ['/data/k']],
    ['cannot be shown', 400, ['/data/k']],
  ])(
    'and answers 405 for the tags of an object that %s is asked for the object',
    async (_, status, asked) => {
      answer = (target) =>
        target.includes('tagging') ? { status: 405, body: error('MethodNotAllowed') } : { status, body: '' };
      expect(await read()).toBe('AccessDenied 403');
      // The last is the request itself: an object that does not exist has no tags.
      expect(objectsRead.map((target) => target.split('?')[0])).toEqual(asked);
    },
  );

  it('and hangs up allows nothing', async () => {
    answer = () => 'hang up';
    expect(await read()).toBe('ServiceUnavailable 503');
    expect(objectsRead).toEqual([]);
  });

  it('and says that there are none is believed', async () => {
    answer = (target) =>
      target.includes('tagging')
        ? { status: 404, body: error('NoSuchTagSet') }
        : { status: 200, body: 'bytes' };
    expect(await read()).toBe('allowed');
  });

  it.each([
    ['NoSuchTagSet', 'allowed', 'allowed'],
    ['NoSuchKey', 'allowed', 'AccessDenied 403'],
    ['NoSuchVersion', 'AccessDenied 403', 'AccessDenied 403'],
  ])('and says %s: object %s, version %s', async (code, expected, expectedOfVersion) => {
    answer = (target) =>
      target.includes('tagging') ? { status: 404, body: error(code) } : { status: 200, body: 'bytes' };
    expect(await read()).toBe(expected);
    const version = new GetObjectCommand({ Bucket: 'data', Key: 'k', VersionId: 'null' });
    expect(await outcome(reader.send(version))).toBe(expectedOfVersion);
  });

  it.each([
    ['does not know tags', 501, 'allowed', 'AccessDenied 403'],
    ['refuses', 403, 'allowed', 'AccessDenied 403'],
    ['fails', 500, 'ServiceUnavailable 503', 'ServiceUnavailable 503'],
  ])(
    'and %s copies no tags: they are left behind when nothing is said, and refused when demanded',
    async (_, status, expected, expectedOfDemand) => {
      answer = (target) =>
        target.includes('tagging')
          ? { status, body: error('Any') }
          : { status: 200, body: '<CopyObjectResult/>' };
      const copier = s3Client(sidecar.url, await assume(sidecar.url, alice, 'copier'));
      const copy = (TaggingDirective?: 'COPY'): Promise<string> =>
        outcome(
          copier.send(
            new CopyObjectCommand({ Bucket: 'data', Key: 'to', CopySource: 'data/from', TaggingDirective }),
          ),
        );
      expect(await copy()).toBe(expected);
      expect(directives).toEqual(expected === 'allowed' ? ['REPLACE'] : []);
      expect(await copy('COPY')).toBe(expectedOfDemand);
      expect(directives).toHaveLength(expected === 'allowed' ? 1 : 0);
    },
  );

  it('is asked about the entries of a multi-delete one by one, at most sixteen at a time', async () => {
    const isOdd = (target: string): boolean => /[13579]\?/.test(target);
    answer = (target) => {
      if (!target.includes('tagging')) return { status: 200, body: '<DeleteResult/>' };
      const team = isOdd(target) ? 'red' : 'blue';
      return { status: 200, body: tags(`<Key>team</Key><Value>${team}</Value>`) };
    };
    most = 0;
    const cleaner = s3Client(sidecar.url, await assume(sidecar.url, alice, 'cleaner'));
    const Objects = Array.from({ length: 100 }, (_, index) => ({ Key: `k${index}`, ETag: '"x"' }));
    const { Errors = [] } = await cleaner.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } }),
    );
    expect(Errors.map(({ Key }) => Key)).toEqual(
      Objects.map(({ Key }) => Key).filter((_, index) => index % 2 === 1),
    );
    expect(deleted).toEqual(Objects.map(({ Key }) => Key).filter((_, index) => index % 2 === 0));
    expect(most).toBeLessThanOrEqual(16);
    expect(most).toBeGreaterThan(4);
  });
});
