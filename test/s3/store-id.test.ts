import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isStoreId, isUploadId, isVersionId } from '../../src/s3/store-id.ts';

describe('an id of a store', () => {
  it.each([
    'null',
    '3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY',
    '2~Iw3QbE7cH8dq1lq_W2mY5e1r',
    '01JD4Z5V7N8Q0W2E4R6T8Y0AAA',
    '0f7e2a2e-1111-4a4a-8b8b-0123456789ab',
    'ZDU4Yjg5NzMuMGY3ZTJhMmU',
    'a+b=',
    '0',
    '0'.repeat(31),
    '00000000-0000-0000-0000-000000000001',
    '0f7e2a2e11114a4a8b8b0123456789ab',
    'x'.repeat(1024),
  ])('is %j', (id) => {
    expect(isStoreId(id)).toBe(true);
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    'a\\b',
    '/',
    ' ',
    'a ',
    '\ta',
    'a\n',
    '{0f7e2a2e-1111-4a4a-8b8b-0123456789ab}',
    'urn:uuid:0f7e2a2e-1111-4a4a-8b8b-0123456789ab',
    '0F7E2A2E-1111-4A4A-8B8B-0123456789AB',
    '00000000-0000-0000-0000-000000000000',
    '0'.repeat(32),
    'a%2F',
    'ä',
    'a\0',
    'x'.repeat(1025),
  ])('is not %j', (id) => {
    expect(isStoreId(id)).toBe(false);
  });
});

describe('an id of a version', () => {
  it.each([
    'null',
    '5LGjXlZk-8UyWzXnmXTx5lF.Fv4nV0a',
    '0f7e2a2e-1111-4a4a-8b8b-0123456789ab',
    '0f7e2a2e11114a4a8b8b0123456789ab',
    '4_z27c88f1d182b150646ff0b16_f1004ba650fe24e6b_d20260209_m142840_c004_v0402007_t0044_u01725996520526',
  ])('is %j', (id) => {
    expect(isVersionId(id)).toBe(true);
  });

  // Version `V` of the key `P_S` is one object of Ceph RGW with the version `V_P` of the key `S`.
  it.each([
    'V_P',
    '5LGjXlZk-8UyWzXnmXTx5lF.Fv4nV0a_secret',
    'V_',
    '_V',
    'V_P_Q',
    'null_x',
    '4_x',
    '44_z27c8',
    'a_4_z27',
  ])('is not that of another key: %j', (id) => {
    expect(isVersionId(id)).toBe(false);
    expect(isStoreId(id)).toBe(true);
  });

  it('is an id of a store', () => {
    expect(isVersionId('4_z/../x')).toBe(false);
    expect(isVersionId('')).toBe(false);
  });
});

const base64Url = (text: string | Buffer): string => Buffer.from(text).toString('base64url');
const folder = createHash('sha256').update('data/victim').digest('hex');
const upload = '59ed051f-11a0-4e4b-8cd3-2615c88733f1x1795907220904515454';

describe('an id of an upload', () => {
  // The same ids in every run.
  const bytes = (seed: string, count: number): Buffer =>
    createHash('shake256', { outputLength: count }).update(seed).digest();
  const hex = (seed: string, count: number): string => bytes(seed, count).toString('hex');
  const uuid = (seed: string): string =>
    hex(seed, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

  it.each<[store: string, make: (seed: string) => string]>([
    ['Ceph RGW', (seed) => `2~${bytes(seed, 24).toString('base64url').slice(0, 31)}`],
    ['versitygw', uuid],
    ['MinIO', (seed) => base64Url(`${uuid(seed)}.${uuid(`${seed}:`)}x17959${parseInt(hex(seed, 6), 16)}`)],
    ['Garage', (seed) => hex(seed, 32)],
    ['SeaweedFS', (seed) => `${hex(seed, 20)}_${uuid(seed)}`],
    ['a store of random bytes in base64url', (seed) => bytes(seed, 96).toString('base64url')],
  ])('of %s is accepted', (_, make) => {
    const ids = Array.from({ length: 20_000 }, (_, index) => make(String(index)));
    expect(ids.filter((id) => !isUploadId(id))).toEqual([]);
  });

  it('of AWS is accepted, dots included', () => {
    expect(isUploadId('VCVsb2FkIElEIGZvciBlbZZpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZR')).toBe(true);
    expect(isUploadId('ibZBv_75gd9r8lH_gqXatLdxMVpAlj6ACftp.WE4mVQe1z8_.2aB9cEDMrN8m7QpZ0--')).toBe(true);
  });

  it.each([
    ['all uploads of another key', `x.../${folder}`],
    ['an upload of another key', `x.../${folder}/${upload}`],
    ['another object', 'x.../../../other/object'],
    ['a path behind a detour', `x.a/../../${folder}`],
    ['a path with slashes at its beginning', `x.//../${folder}`],
    ['a path with backslashes', `x...\\${folder}`],
    ['a path behind bytes that are not text', Buffer.from(`\u00ff\u0000.../${folder}`, 'latin1')],
    ['the folder above', 'x...'],
    ['a path without a name before it', `../${folder}`],
  ])('is not %s in base64', (_, path) => {
    for (const encoding of ['base64url', 'base64'] as const) {
      expect(isUploadId(Buffer.from(path).toString(encoding))).toBe(false);
      expect(isUploadId(Buffer.from(path).toString(encoding).replace(/=+$/, ''))).toBe(false);
    }
  });

  it.each(['pem.2~KnWZ4tVGkLC38Ei4hiUjpVpMSbvuYi0', '.2~x', 'a.b.2~x', '2~x.2~y'])(
    'is not the rest of another key: %s',
    (id) => {
      expect(isUploadId(id)).toBe(false);
    },
  );

  it.each(['1', '0', '10000', '00001'])('is no part of an upload of another key: %s', (id) => {
    expect(isUploadId(id)).toBe(false);
  });

  it('is an id of a store', () => {
    expect(isUploadId('../x')).toBe(false);
    expect(isUploadId('')).toBe(false);
  });
});
