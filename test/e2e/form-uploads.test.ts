import { createHash, randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { Client as MinioClient } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FormShape, formFile, formType, postForm } from '../support/post-form.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { summary } from '../support/wire.ts';

let sidecar: TestSidecar;
let session: Required<SdkCredentials>;
let admin: S3Client;
let atStore: S3Client;

beforeAll(async () => {
  sidecar = await startSidecar();
  session = await assume(sidecar.url, alice, 'data');
  admin = s3Client(sidecar.url, await assume(sidecar.url, alice, 'admin'));
  atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await admin.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => sidecar.stop());

/** What stands for the name of the file. */
const variable = '$'.concat('{filename}');
const file = formFile;
const post = (shape: FormShape = {}): Promise<string> => postForm(sidecar.url, session, shape);

async function stored(Key: string): Promise<string> {
  const reading = atStore.send(new GetObjectCommand({ Bucket: 'data', Key }));
  const failed = await outcome(reading);
  return failed === 'allowed' ? ((await (await reading).Body?.transformToString('latin1')) ?? '') : failed;
}

describe('a form', () => {
  it('stores its file', async () => {
    const answer = await post({ key: 'a b/ü+%' });
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(await stored('a b/ü+%')).toBe(String(file));
    const { host } = new URL(sidecar.url);
    expect(answer).toContain(`location: http://${host}/data/a%20b/%C3%BC%2B%25\r\n`);
    expect(answer).toMatch(/^etag: "[0-9a-f]{32}"\r$/m);
    expect(answer).not.toMatch(/content-length/i);
  });

  it('may name the encoding of its fields', async () => {
    for (const type of [`${formType}; charset=UTF-8`, formType.replace(';', '; charset=utf-8;')])
      expect(summary(await post({ key: 'encoded', headers: { 'content-type': type } }))).toBe('204');
  });

  it('is posted by a session, and logged with its caller', async () => {
    sidecar.logged.length = 0;
    await post({ key: 'logged' });
    const line = await expect
      .poll(() => sidecar.logged.map((text) => JSON.parse(text)).find(({ key }) => key === 'logged'))
      .toBeDefined()
      .then(() => sidecar.logged.map((text) => JSON.parse(text)).find(({ key }) => key === 'logged'));
    expect(line).toMatchObject({
      operation: 'PostObject',
      bucket: 'data',
      status: 204,
      access_key_id: session.accessKeyId,
    });
    expect(JSON.stringify(line)).not.toContain(session.sessionToken);
  });

  it('replaces the variable of its file name, without folders, before its policy is looked at', async () => {
    const conditions = [
      { bucket: 'data' },
      ['starts-with', '$key', 'user/'],
      ['starts-with', '$x-amz-meta-name', ''],
    ];
    const further = [['x-amz-meta-name', variable]] as const;
    const shape = { key: `user/${variable}`, conditions, further };
    expect(summary(await post({ ...shape, fileName: 'C:\\folder\\a$&b.txt' }))).toBe('204');
    expect(await stored('user/a$&b.txt')).toBe(String(file));
    const { Metadata } = await atStore.send(new HeadObjectCommand({ Bucket: 'data', Key: 'user/a$&b.txt' }));
    expect(Metadata).toEqual({ name: 'a$&b.txt' });
    expect(summary(await post({ ...shape, fileName: '/folder/other' }))).toBe('204');
    expect(await stored('user/other')).toBe(String(file));
    expect(summary(await post({ ...shape, key: variable, fileName: 'elsewhere' }))).toBe('403 AccessDenied');
    expect(summary(await post({ ...shape, fileName: '..' }))).toBe('400 InvalidURI');
  });

  it('keeps the variable when its file has no name, and leaves it out when the name is empty', async () => {
    const conditions = [{ bucket: 'data' }, ['starts-with', '$key', 'unnamed/']];
    const key = `unnamed/${variable}`;
    expect(summary(await post({ key, conditions }))).toBe('204');
    expect(await stored(key)).toBe(String(file));
    expect(await stored('unnamed/')).toBe('NoSuchKey 404');
    expect(summary(await post({ key, conditions, fileName: '', file: Buffer.from('other') }))).toBe('204');
    expect(await stored('unnamed/')).toBe('other');
    expect(await stored(key)).toBe(String(file));
  });

  it.each<[string, string, number, RegExp]>([
    ['success_action_status', '200', 200, /^content-length: 0\r$/m],
    ['success_action_status', '204', 204, /^etag: /m],
    ['success_action_status', '302', 204, /^etag: /m],
    ['success_action_redirect', 'javascript:alert(1)', 204, /^etag: /m],
    ['success_action_redirect', 'not a url', 204, /^etag: /m],
    [
      'success_action_status',
      '201',
      201,
      /<PostResponse><Location>http:\/\/[^<]+\/data\/posted<\/Location><Bucket>data<\/Bucket><Key>posted<\/Key><ETag>&quot;[0-9a-f]{32}&quot;<\/ETag><\/PostResponse>$/,
    ],
    [
      'success_action_redirect',
      'https://app.example/done?a=b',
      303,
      /^location: https:\/\/app\.example\/done\?a=b&bucket=data&key=posted&etag=%22[0-9a-f]{32}%22\r$/m,
    ],
    [
      'redirect',
      'http://app.example/',
      303,
      /^location: http:\/\/app\.example\/\?bucket=data&key=posted&etag=/m,
    ],
  ])('with %s %s is answered with %i', async (name, value, status, expected) => {
    const answer = await post({ further: [[name, value]] });
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(expected);
    expect(answer).not.toContain(sidecar.storeUrl);
  });

  it('turns its fields into headers of the object', async () => {
    const further = [
      ['Content-Type', 'text/x-test'],
      ['Cache-Control', 'max-age=5'],
      ['x-amz-meta-Ünï'.toLowerCase().replace(/[^a-z-]/g, ''), 'ünï'],
      ['content-md5', createHash('md5').update(file).digest('base64')],
    ] as const;
    expect(summary(await post({ key: 'described', further, headers: { 'cache-control': 'no-cache' } }))).toBe(
      '204',
    );
    const head = await atStore.send(new HeadObjectCommand({ Bucket: 'data', Key: 'described' }));
    expect(head.ContentType).toBe('text/x-test');
    expect(head.CacheControl).toBe('max-age=5');
  });

  it.each<[string, string, unknown[], string, string | undefined]>([
    [
      'Content-Type',
      '\u00a0image/png',
      ['starts-with', '$Content-Type', 'image/'],
      '403 AccessDenied',
      undefined,
    ],
    [
      'Content-Type',
      '\ufeffimage/png',
      ['starts-with', '$Content-Type', 'image/'],
      '403 AccessDenied',
      undefined,
    ],
    [
      'Content-Type',
      '\u3000image/png',
      ['starts-with', '$Content-Type', 'image/'],
      '403 AccessDenied',
      undefined,
    ],
    [
      'Content-Type',
      'image/gif,\u2003image/png',
      ['starts-with', '$Content-Type', 'image/'],
      '403 AccessDenied',
      undefined,
    ],
    [
      'Content-Type',
      ' image/gif, image/png ',
      ['starts-with', '$Content-Type', 'image/'],
      '204',
      'image/gif, image/png',
    ],
    ['Content-Disposition', 'a  b', ['eq', '$Content-Disposition', 'a  b'], '204', 'a b'],
    ['Content-Disposition', 'a b', ['eq', '$Content-Disposition', 'a  b'], '204', 'a b'],
    ['Content-Disposition', 'a  c', ['eq', '$Content-Disposition', 'a  b'], '403 AccessDenied', undefined],
    ['Content-Disposition', 'a \tb', ['eq', '$Content-Disposition', 'a b'], '204', 'a b'],
    [
      'Content-Encoding',
      'aws-chunked,gzip',
      ['eq', '$Content-Encoding', 'aws-chunked,gzip'],
      '403 AccessDenied',
      undefined,
    ],
    ['x-amz-meta-a', 'a\tb', ['starts-with', '$x-amz-meta-a', 'a\t'], '403 AccessDenied', undefined],
    ['x-amz-meta-a', ' a', ['starts-with', '$x-amz-meta-a', ' '], '403 AccessDenied', undefined],
    ['x-amz-meta-a', ' à ', ['eq', '$x-amz-meta-a', 'à'], '204', Buffer.from('à').toString('latin1')],
    ['x-custom', ' a  b', ['eq', '$x-custom', ' a  b'], '204', undefined],
    ['x-amz-tagging', 'a=b  c', ['eq', '$x-amz-tagging', 'a=b  c'], '204', 'a=b%20c'],
    ['x-amz-tagging', 'a=b+c', ['eq', '$x-amz-tagging', 'a=b+c'], '204', 'a=b%20c'],
  ])(
    'whose %s is %j is compared with %j as it is stored: %s',
    async (name, value, condition, expected, kept) => {
      sidecar.seen.length = 0;
      const credentials = await assume(sidecar.url, alice, 'admin');
      const conditions = [{ bucket: 'data' }, ['eq', '$key', 'posted'], condition];
      expect(summary(await post({ credentials, conditions, further: [[name, value]] }))).toBe(expected);
      expect(sidecar.seen.at(-1)?.headers.get(name.toLowerCase())).toBe(kept);
    },
  );

  it('takes tags from a document, if the caller may set them', async () => {
    const tagging = '<Tagging><TagSet><Tag><Key>team</Key><Value>blue green</Value></Tag></TagSet></Tagging>';
    const further = [['tagging', tagging]] as const;
    expect(summary(await post({ key: 'tagged', further }))).toBe('403 AccessDenied');
    expect(await stored('tagged')).toBe('NoSuchKey 404');
    const credentials = await assume(sidecar.url, alice, 'admin');
    expect(summary(await post({ key: 'tagged', further, credentials }))).toBe('204');
    const { TagSet } = await atStore.send(new GetObjectTaggingCommand({ Bucket: 'data', Key: 'tagged' }));
    expect(TagSet).toEqual([{ Key: 'team', Value: 'blue green' }]);
  });

  it.each([0, 1, 65_536, 65_537, 1_000_000])('of %i bytes arrives whole', async (size) => {
    const body = randomBytes(size);
    expect(summary(await post({ key: `size-${size}`, file: body }))).toBe('204');
    expect(await stored(`size-${size}`)).toBe(body.toString('latin1'));
  });

  it('tells policies that it is one', async () => {
    const Policy = (authType: string): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Action: 's3:PutObject',
          Resource: '*',
          Condition: { StringEquals: { 's3:authType': authType }, Null: { 's3:signatureAge': 'true' } },
        },
      });
    for (const [authType, expected] of [
      ['POST', '204'],
      ['REST-QUERY-STRING', '403 AccessDenied'],
      ['REST-HEADER', '403 AccessDenied'],
    ] as const) {
      const credentials = await assume(sidecar.url, alice, 'data', { Policy: Policy(authType) });
      expect(summary(await post({ credentials, key: 'told' }))).toBe(expected);
    }
  });

  it('is decided like the PutObject that it stands for', async () => {
    expect(summary(await post({ key: 'secret/plan' }))).toBe('403 AccessDenied');
    expect(summary(await post({ key: 'a/../secret/plan' }))).toBe('403 AccessDenied');
    const credentials = await assume(sidecar.url, alice, 'reader');
    expect(summary(await post({ key: 'read-only', credentials }))).toBe('403 AccessDenied');
    expect(summary(await post({ further: [['acl', 'public-read']] }))).toBe('403 AccessDenied');
    expect(await stored('secret/plan')).toBe('NoSuchKey 404');
    expect(await stored('read-only')).toBe('NoSuchKey 404');
  });
});

describe('a form made by', () => {
  it('createPresignedPost of the AWS SDK, sent with FormData', async () => {
    const client = s3Client(sidecar.url, session);
    for (const size of [100, 300_000]) {
      const { url, fields } = await createPresignedPost(client, {
        Bucket: 'data',
        Key: `sdk/${variable}`,
        Conditions: [
          ['content-length-range', 0, 1_000_000],
          ['starts-with', '$Content-Type', 'image/'],
        ],
        Fields: { success_action_status: '201' },
      });
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('Content-Type', 'image/png');
      const body = randomBytes(size);
      form.append('file', new Blob([body]), 'picture.png');
      const answer = await fetch(url, { method: 'POST', body: form });
      expect(answer.status).toBe(201);
      expect(await answer.text()).toContain('<Key>sdk/picture.png</Key>');
      expect(await stored('sdk/picture.png')).toBe(body.toString('latin1'));
    }
  });

  it('presignedPostPolicy of minio-js', async () => {
    const { hostname, port } = new URL(sidecar.url);
    const client = new MinioClient({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      accessKey: session.accessKeyId,
      secretKey: session.secretAccessKey,
      sessionToken: session.sessionToken,
      region: 'us-east-1',
      pathStyle: true,
    });
    const policy = client.newPostPolicy();
    policy.setBucket('data');
    policy.setKey('minio-js');
    policy.setExpires(new Date(Date.now() + 600_000));
    policy.setContentLengthRange(1, 1000);
    const { postURL, formData } = await client.presignedPostPolicy(policy);
    const form = new FormData();
    for (const [name, value] of Object.entries(formData)) form.append(name, String(value));
    form.append('file', new Blob([file]));
    expect((await fetch(postURL, { method: 'POST', body: form })).status).toBe(204);
    expect(await stored('minio-js')).toBe(String(file));
  });
});
