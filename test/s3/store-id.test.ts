import { describe, expect, it } from 'vitest';
import { isStoreId } from '../../src/s3/store-id.ts';

describe('an id of a store', () => {
  it.each([
    'null',
    '3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY',
    '2~Iw3QbE7cH8dq1lq_W2mY5e1r',
    '01JD4Z5V7N8Q0W2E4R6T8Y0AAA',
    '0f7e2a2e-1111-4a4a-8b8b-0123456789ab',
    'ZDU4Yjg5NzMuMGY3ZTJhMmU',
    'a+b=',
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
    'a%2F',
    'ä',
    'a\0',
    'x'.repeat(1025),
  ])('is not %j', (id) => {
    expect(isStoreId(id)).toBe(false);
  });
});
