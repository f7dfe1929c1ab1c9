import { describe, expect, it } from 'vitest';
import { refusalOf, routed, understood } from './vectors.ts';

const names = ['.sgwtmp', '.uploads', '.minio.sys', '.rustfs.sys', 'xl.meta'];
const keys: readonly string[] = [
  ...names.flatMap((name) => [
    name,
    `${name}/`,
    `${name}/multipart/x`,
    `a/${name}/b`,
    `a//${name}`,
    `./${name}/b`,
    `a/../${name}/b`,
    `a\\${name}\\b`,
    `${name.toUpperCase()}/b`,
  ]),
  'k__XLDIR__',
  'k__XLDIR__/',
  'a/k__XLDIR__/b',
  'k__xldir__',
  '__XLDIR__',
  'k.versions/v_1',
  'k.VERSIONS/',
  'a/k.versions\\v_1',
  '.versions/x',
];
const others = [
  '.sgwtmp2/a',
  'a.sgwtmp',
  'x.sgwtmp/a',
  'uploads/a',
  '.uploads.txt',
  'minio.sys',
  'k__XLDIR__k',
  'k.versions',
  'a/k.versions',
  'k.versions2/a',
  'xl.metadata',
  'k.xl.meta',
  'xl.meta.txt/a',
  'xl-meta',
];
const encoded = (key: string): string => key.split('/').map(encodeURIComponent).join('/');

describe.each(keys)('the name %s of a store', (key) => {
  it.each([
    'GET KEY',
    'HEAD KEY',
    'PUT KEY',
    'DELETE KEY',
    'GET KEY?acl',
    'PUT KEY?tagging',
    'POST KEY?uploads',
    'PUT KEY?partNumber=1&uploadId=u',
    'GET KEY?uploadId=u',
    'POST KEY?uploadId=u',
    'DELETE KEY?uploadId=u',
  ])('is not a key: %s', (written) => {
    const request = written.replace('KEY', `/bucket/${encoded(key)}`);
    expect(refusalOf(() => routed({ request }))).toBe('InvalidURI');
  });

  it('is not a key on the host of a bucket', () => {
    const headers = { host: 'bucket.s3.example.internal' };
    expect(refusalOf(() => routed({ request: `GET /${encoded(key)}`, headers }))).toBe('InvalidURI');
  });

  it('is not a source of a copy', () => {
    const headers = { 'x-amz-copy-source': `other/${encoded(key)}` };
    expect(refusalOf(() => routed({ request: 'PUT /bucket/key', headers }))).toBe('InvalidURI');
    const request = 'PUT /bucket/key?partNumber=1&uploadId=u';
    expect(refusalOf(() => routed({ request, headers }))).toBe('InvalidURI');
  });

  it.each(['list-type=2', 'versions', 'uploads', 'max-keys=1'])('is not a prefix of a list: %s', (query) => {
    const request = `GET /bucket?${query}&prefix=${encodeURIComponent(key)}`;
    expect(refusalOf(() => routed({ request }))).toBe('InvalidArgument');
  });

  it('is not an entry of a multi-delete', () => {
    const body = `<Delete><Object><Key>a</Key></Object><Object><Key>${key}</Key></Object></Delete>`;
    expect(refusalOf(() => understood({ request: 'POST /bucket?delete', body }))).toBe('MalformedXML');
  });
});

it.each(['minio', 'MinIO', 'admin', 'swift', 'auth', '.minio.sys', '.Minio.Sys'])(
  '%s is not a bucket',
  (name) => {
    const named = 'InvalidBucketName';
    expect(refusalOf(() => routed({ request: `GET /${name}` }))).toBe(named);
    expect(refusalOf(() => routed({ request: `PUT /${name}/key` }))).toBe(named);
    const headers = { host: `${name}.s3.example.internal` };
    expect(refusalOf(() => routed({ request: 'GET /key', headers }))).toBe(named);
    const copy = { 'x-amz-copy-source': `${name}/key` };
    expect(refusalOf(() => routed({ request: 'PUT /bucket/key', headers: copy }))).toBe('InvalidArgument');
  },
);

it.each(others)('%s is a key like any other', (key) => {
  expect(routed({ request: `GET /bucket/${encoded(key)}` }).key).toBe(key);
  const request = `GET /bucket?list-type=2&prefix=${encodeURIComponent(key)}`;
  expect(routed({ request }).parameters.get('prefix')).toBe(key);
});

it('a place that a store writes to by itself has none of its names', () => {
  const body =
    '<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>.sgwtmp/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>';
  expect(refusalOf(() => understood({ request: 'PUT /bucket?logging', body }))).toBe('InvalidArgument');
});
