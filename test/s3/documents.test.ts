import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import { withDocument } from '../../src/s3/document.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { route } from '../../src/s3/route.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import { allFeatures } from './vectors.ts';

const settings = { virtualHosts: [], accountId: '123456789012', partition: 'aws', supports: allFeatures };

function read(target: string, document: string): S3Request {
  const raw = toRawRequest({ method: 'PUT', target, headers: [['host', 'localhost']] });
  if (raw === undefined) throw new Error('unreadable');
  return withDocument(route(raw, settings), Buffer.from(document), 'aws');
}

function outcome(target: string, document: string): string {
  try {
    return read(target, document).document?.toString() ?? 'nothing to forward';
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

const tag = (key: string, value = 'v'): string => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const tagging = (tags: string): string => `<Tagging><TagSet>${tags}</TagSet></Tagging>`;

describe('a document of tags', () => {
  it('is forwarded as it was parsed, and given to policies', () => {
    const request = read('/bucket/key?tagging', tagging(`<!-- x -->${tag('a', '&#98; ж')}${tag('c', '')}`));
    expect(request.document?.toString()).toMatch(/<TagSet><Tag><Key>a<\/Key><Value>b ж<\/Value><\/Tag><Tag>/);
    expect(request.isDocumentRewritten).toBe(true);
    const keys = new Map(request.conditionKeys);
    expect(keys.get('s3:RequestObjectTag/a')).toEqual(['b ж']);
    expect(keys.get('s3:RequestObjectTagKeys')).toEqual(['a', 'c']);
  });

  it.each([
    ['no document', '', 'MalformedXML'],
    ['another root', '<Tags><TagSet/></Tags>', 'MalformedXML'],
    ['no set', '<Tagging></Tagging>', 'MalformedXML'],
    [
      'two sets',
      `<Tagging><TagSet>${tag('a')}</TagSet><TagSet>${tag('b')}</TagSet></Tagging>`,
      'MalformedXML',
    ],
    ['an unknown element', tagging(`${tag('a')}<Label/>`), 'MalformedXML'],
    ['a tag without a value', tagging('<Tag><Key>a</Key></Tag>'), 'MalformedXML'],
    ['a tag with two keys', tagging('<Tag><Key>a</Key><Key>b</Key></Tag>'), 'MalformedXML'],
    [
      'a tag with two values',
      tagging('<Tag><Key>a</Key><Value>1</Value><Value>2</Value></Tag>'),
      'MalformedXML',
    ],
    ['nested text', tagging('<Tag><Key>a<b/></Key><Value>1</Value></Tag>'), 'MalformedXML'],
    ['an entity', tagging(tag('&x;')), 'MalformedXML'],
    ['a repeated key', tagging(tag('a') + tag('a')), 'InvalidTag'],
    ['an empty key', tagging(tag('')), 'InvalidTag'],
    ['a long key', tagging(tag('a'.repeat(129))), 'InvalidTag'],
    ['a long value', tagging(tag('a', 'b'.repeat(257))), 'InvalidTag'],
    ['a key of the service', tagging(tag('aws:cloudformation:stack')), 'InvalidTag'],
    ['a key of the service in capitals', tagging(tag('AWS:x')), 'InvalidTag'],
    ['a line break in a key', tagging(tag('a&#10;b')), 'InvalidTag'],
    ['a sign that AWS refuses in a value', tagging(tag('a', 'b,c')), 'InvalidTag'],
    [
      'eleven tags',
      tagging(
        'abcdefghijk'
          .split('')
          .map((name) => tag(name))
          .join(''),
      ),
      'BadRequest',
    ],
  ])('is refused with %s', (_, document, code) => {
    expect(outcome('/bucket/key?tagging', document)).toBe(code);
  });
});

describe('a versioning configuration', () => {
  const versioning = (content: string): string =>
    outcome('/bucket?versioning', `<VersioningConfiguration>${content}</VersioningConfiguration>`);

  it('is forwarded as it was parsed', () => {
    expect(versioning('<Status>Enabled</Status>')).toMatch(/><Status>Enabled<\/Status></);
    expect(versioning('<MfaDelete>Disabled</MfaDelete><Status>Suspended</Status>')).toMatch(/>Suspended</);
  });

  it.each([
    ['', 'MalformedXML'],
    ['<Status>enabled</Status>', 'MalformedXML'],
    ['<Status>Enabled</Status><Status>Suspended</Status>', 'MalformedXML'],
    ['<Status>Enabled</Status><Other/>', 'MalformedXML'],
    ['<Status>Enabled</Status><MfaDelete>yes</MfaDelete>', 'MalformedXML'],
    ['<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>', 'NotImplemented'],
  ])('is refused when it says %j', (content, code) => {
    expect(versioning(content)).toBe(code);
  });
});

describe('the configuration of a new bucket', () => {
  const create = (content: string): string =>
    outcome('/bucket', `<CreateBucketConfiguration>${content}</CreateBucketConfiguration>`);
  const tags = (content: string): string => create(`<Tags>${content}</Tags>`);

  it('is forwarded as it was parsed, with up to fifty tags', () => {
    const fifty = Array.from({ length: 50 }, (_, index) => tag(`t${index}`)).join('');
    expect(tags(fifty)).toMatch(/<Tags><Tag><Key>t0<\/Key>/);
    expect(create('<LocationConstraint>eu-west-1</LocationConstraint>')).toMatch(/>eu-west-1</);
  });

  it.each([
    ['fifty-one tags', Array.from({ length: 51 }, (_, index) => tag(`t${index}`)).join(''), 'BadRequest'],
    ['a repeated tag', tag('a') + tag('a'), 'InvalidTag'],
    ['a tag without a key', tag(''), 'InvalidTag'],
    ['a long value', tag('a', 'b'.repeat(257)), 'InvalidTag'],
    ['a tag of the service', tag('aws:x'), 'InvalidTag'],
    ['a tag with a sign that AWS refuses', tag('a', '<![CDATA[<]]>'), 'InvalidTag'],
  ])('is refused with %s', (_, content, code) => {
    expect(tags(content)).toBe(code);
  });

  it.each([
    ['<LocationConstraint> eu-west-1</LocationConstraint>', 'MalformedXML'],
    ['<LocationConstraint>eu\nwest</LocationConstraint>', 'MalformedXML'],
    ['<LocationConstraint><a/></LocationConstraint>', 'MalformedXML'],
    ['<Tags><TagSet/></Tags>', 'MalformedXML'],
    ['<Location><Type>AvailabilityZone</Type></Location>', 'NotImplemented'],
    ['<Bucket><Type>Directory</Type></Bucket>', 'NotImplemented'],
  ])('is refused when it says %j', (content, code) => {
    expect(create(content)).toBe(code);
  });
});

describe('retention', () => {
  const retain = (content: string): string =>
    outcome('/bucket/key?retention', `<Retention>${content}</Retention>`);

  it('is written in one way', () => {
    expect(
      retain('<RetainUntilDate>2030-01-02T03:04:05.000+00:00</RetainUntilDate><Mode> GOVERNANCE </Mode>'),
    ).toMatch(/<Mode>GOVERNANCE<\/Mode><RetainUntilDate>2030-01-02T03:04:05Z<\/RetainUntilDate>/);
  });

  it.each([
    '<Mode>governance</Mode>',
    '<Mode/>',
    '<RetainUntilDate>tomorrow</RetainUntilDate>',
    '<RetainUntilDate>2030-02-30T00:00:00Z</RetainUntilDate>',
    '<RetainUntilDate/>',
    '<EventHold>on</EventHold>',
    '<EventHoldDuration/>',
    '<EventHoldDuration><Days>1</Days><Years>1</Years></EventHoldDuration>',
    '<EventHoldDuration><Days>-1</Days></EventHoldDuration>',
    '<EventHoldDuration><Months>1</Months></EventHoldDuration>',
    '<Mode>GOVERNANCE</Mode><Mode>COMPLIANCE</Mode>',
  ])('is refused when it says %s', (content) => {
    expect(retain(content)).toBe('MalformedXML');
  });

  it.each([
    '',
    '<Status/>',
    '<Status>on</Status>',
    '<Status>ON</Status><Status>OFF</Status>',
    '<Mode>ON</Mode>',
  ])('by a legal hold is refused when the hold says %j', (content) => {
    expect(outcome('/bucket/key?legal-hold', `<LegalHold>${content}</LegalHold>`)).toBe('MalformedXML');
  });
});

describe('the encryption of an object', () => {
  const encrypt = (content: string): string =>
    outcome('/bucket/key?encryption', `<ObjectEncryption>${content}</ObjectEncryption>`);

  it.each([
    '',
    '<SSE-S3/>',
    '<SSE-KMS/>',
    '<SSE-KMS><KMSKeyArn/></SSE-KMS>',
    '<SSE-KMS><KMSKeyArn> k</KMSKeyArn></SSE-KMS>',
    '<SSE-KMS><KMSKeyArn>k</KMSKeyArn><KMSKeyArn>l</KMSKeyArn></SSE-KMS>',
    '<SSE-KMS><KMSKeyArn>k</KMSKeyArn><BucketKeyEnabled>yes</BucketKeyEnabled></SSE-KMS>',
  ])('is refused when it says %j', (content) => {
    expect(encrypt(content)).toBe('MalformedXML');
  });
});
