import { describe, expect, it } from 'vitest';
import { namesOf, refusalOf, understood } from './vectors.ts';

const put = (selector: string) => (body: string) => ({ request: `PUT /data-lake?${selector}`, body });
const needed = (written: { request: string; body: string }): string[] =>
  namesOf(understood(written).permissions).slice(1);
const refusal = (written: { request: string; body: string }): string => refusalOf(() => understood(written));

const logging = (content: string) =>
  put('logging')(`<BucketLoggingStatus><LoggingEnabled>${content}</LoggingEnabled></BucketLoggingStatus>`);
const place = (content: string): string =>
  `<Destination><S3BucketDestination>${content}</S3BucketDestination></Destination>`;
const inventory = (content: string) =>
  put('inventory&id=daily')(`<InventoryConfiguration><Id>daily</Id>${content}</InventoryConfiguration>`);
const analytics = (content: string) =>
  put('analytics&id=daily')(
    `<AnalyticsConfiguration><Id>daily</Id><StorageClassAnalysis><DataExport>${content}</DataExport></StorageClassAnalysis></AnalyticsConfiguration>`,
  );
const notification = (content: string) =>
  put('notification')(`<NotificationConfiguration>${content}</NotificationConfiguration>`);
const replication = (content: string) =>
  put('replication')(`<ReplicationConfiguration>${content}</ReplicationConfiguration>`);
const rule = (bucket: string, more = ''): string =>
  `<Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::${bucket}</Bucket>${more}</Destination></Rule>`;

describe('logs', () => {
  it('need permission to write every key that the prefix allows', () => {
    expect(needed(logging('<TargetBucket>reports</TargetBucket>'))).toEqual([
      's3:PutObject arn:aws:s3:::reports/*',
      's3:PutObject arn:aws:s3:::reports/*/*',
    ]);
    expect(needed(logging('<TargetBucket>reports</TargetBucket><TargetPrefix>a-</TargetPrefix>'))).toEqual([
      's3:PutObject arn:aws:s3:::reports/a-*',
      's3:PutObject arn:aws:s3:::reports/a-*/*',
    ]);
  });

  it.each([
    ['no bucket', '<TargetPrefix>a</TargetPrefix>', 'MalformedXML'],
    ['an empty bucket', '<TargetBucket/>', 'MalformedXML'],
    ['white space around the bucket', '<TargetBucket> reports </TargetBucket>', 'InvalidBucketName'],
    ['a path for a bucket', '<TargetBucket>reports/a</TargetBucket>', 'InvalidBucketName'],
    ['an ARN for a bucket', '<TargetBucket>arn:aws:s3:::reports</TargetBucket>', 'InvalidBucketName'],
    ['a place of the store', '<TargetBucket>minio</TargetBucket>', 'InvalidBucketName'],
    ['elements in the bucket', '<TargetBucket><a/></TargetBucket>', 'MalformedXML'],
    [
      'two buckets',
      '<TargetBucket>reports</TargetBucket><TargetBucket>others</TargetBucket>',
      'MalformedXML',
    ],
    ['grants', '<TargetBucket>reports</TargetBucket><TargetGrants/>', 'NotImplemented'],
    [
      'an unknown element',
      '<TargetBucket>reports</TargetBucket><LoggingType>Journal</LoggingType>',
      'MalformedXML',
    ],
  ])('with %s are refused', (_, content, code) => {
    expect(refusal(logging(content))).toBe(code);
  });

  it.each([
    ...['*', 'a*', 'a?', ' a', 'a ', '../others/', 'a/../../b', 'a'.repeat(1025)],
    // A store that treats keys as paths delivers to another folder, of which a part may be denied.
    ...['x/../audit/', 'audit//', './audit/', '/audit/', 'x/..', 'audit/.', 'x\\audit/'],
  ])('with the prefix %j are refused', (prefix) => {
    const content = `<TargetBucket>reports</TargetBucket><TargetPrefix>${prefix}</TargetPrefix>`;
    expect(refusal(logging(content))).toBe('InvalidArgument');
  });
});

describe('reports', () => {
  it('are put into the folder that the prefix names, slash or not', () => {
    const into = (prefix: string): string[] =>
      needed(inventory(place(`<Bucket>arn:aws:s3:::reports</Bucket><Prefix>${prefix}</Prefix>`)));
    const own = 's3:PutObject arn:aws:s3:::reports/';
    expect(into('')).toEqual([`${own}*`, `${own}data-lake/daily/*/*`]);
    expect(into('audit')).toEqual([`${own}audit*`, `${own}audit/data-lake/daily/*/*`]);
    expect(into('audit/')).toEqual([`${own}audit/*`, `${own}audit/data-lake/daily/*/*`]);
    const exported = place('<Bucket>arn:aws:s3:::reports</Bucket><Prefix>audit</Prefix>');
    expect(needed(analytics(exported))).toEqual([`${own}audit*`, `${own}audit/*/*`]);
  });

  it.each([
    ['no destination', '', 'MalformedXML'],
    ['an empty destination', '<Destination/>', 'MalformedXML'],
    ['another kind of destination', '<Destination><TableDestination/></Destination>', 'MalformedXML'],
    ['no bucket', place('<Prefix>a</Prefix>'), 'MalformedXML'],
    ['the name of a bucket', place('<Bucket>reports</Bucket>'), 'NotImplemented'],
    [
      'an access point',
      place('<Bucket>arn:aws:s3:eu-west-1:123456789012:accesspoint/a</Bucket>'),
      'NotImplemented',
    ],
    [
      'a bucket of another account',
      place('<Bucket>arn:aws:s3::999999999999:reports</Bucket>'),
      'NotImplemented',
    ],
    ['another service', place('<Bucket>arn:aws:s3-outposts:::reports</Bucket>'), 'NotImplemented'],
    ['an object', place('<Bucket>arn:aws:s3:::reports/a</Bucket>'), 'NotImplemented'],
    ['a pattern', place('<Bucket>arn:aws:s3:::rep*</Bucket>'), 'NotImplemented'],
    ['a target of the store', place('<Bucket>arn:minio:replication::id:reports</Bucket>'), 'NotImplemented'],
    ['white space', place('<Bucket>arn:aws:s3:::reports </Bucket>'), 'InvalidBucketName'],
    [
      'a pattern as the prefix',
      place('<Bucket>arn:aws:s3:::reports</Bucket><Prefix>*</Prefix>'),
      'InvalidArgument',
    ],
    [
      'a prefix that climbs',
      place('<Bucket>arn:aws:s3:::reports</Bucket><Prefix>../a</Prefix>'),
      'InvalidArgument',
    ],
    ['an unknown element', place('<Bucket>arn:aws:s3:::reports</Bucket><Surprise/>'), 'MalformedXML'],
  ])('with %s are refused', (_, content, code) => {
    expect([refusal(inventory(content)), refusal(analytics(content))]).toEqual([code, code]);
  });

  it.each([
    '<Field/>',
    '<Field>Size, ObjectOwner</Field>',
    '<Field> Size</Field>',
    '<Other>Size</Other>',
    '<Field><a/></Field>',
    `<Field>${'a'.repeat(65)}</Field>`,
    '<Field>Sizes</Field>',
    '<Field>size</Field>',
  ])('of the field %s are refused', (field) => {
    const destination = place('<Bucket>arn:aws:s3:::reports</Bucket>');
    expect(refusal(inventory(`${destination}<OptionalFields>${field}</OptionalFields>`))).toBe(
      'MalformedXML',
    );
  });
});

describe('the optional fields of an inventory', () => {
  it('are those that AWS has, each given to policies once', () => {
    const fields = '<Field>Size</Field><Field>ObjectOwner</Field><Field>Size</Field>';
    const destination = place('<Bucket>arn:aws:s3:::reports</Bucket>');
    const written = inventory(`${destination}<OptionalFields>${fields}</OptionalFields>`);
    expect(understood(written).conditionKeys).toContainEqual([
      's3:InventoryAccessibleOptionalFields',
      ['Size', 'ObjectOwner'],
    ]);
  });
});

describe('notifications', () => {
  it('need no other action to be ended, and go to the bus of the account without naming it', () => {
    expect(needed(notification(''))).toEqual([]);
    expect(needed(notification('<EventBridgeConfiguration/>'))).toEqual([]);
  });

  it('need a permission for each target, even when it is named twice', () => {
    const queue =
      '<QueueConfiguration><Queue>arn:aws:sqs:eu-west-1:123456789012:q</Queue></QueueConfiguration>';
    expect(needed(notification(queue + queue))).toEqual(
      Array(2).fill('sqs:SendMessage arn:aws:sqs:eu-west-1:123456789012:q'),
    );
  });

  it.each([
    ['no target', '<TopicConfiguration><Event>s3:ObjectCreated:*</Event></TopicConfiguration>'],
    [
      'the target of another kind',
      '<TopicConfiguration><Queue>arn:aws:sqs:e:1:q</Queue></TopicConfiguration>',
    ],
    [
      'two targets',
      '<TopicConfiguration><Topic>arn:aws:sns:e:1:t</Topic><Topic>arn:aws:sns:e:1:u</Topic></TopicConfiguration>',
    ],
    ['a URL', '<TopicConfiguration><Topic>https://evil.example/</Topic></TopicConfiguration>'],
    ['a pattern', '<TopicConfiguration><Topic>arn:aws:sns:e:1:*</Topic></TopicConfiguration>'],
    ['white space', '<TopicConfiguration><Topic> arn:aws:sns:e:1:t</Topic></TopicConfiguration>'],
    [
      'an unknown kind of target',
      '<WebhookConfiguration><Url>https://evil.example/</Url></WebhookConfiguration>',
    ],
    [
      'a role',
      '<CloudFunctionConfiguration><CloudFunction>arn:aws:lambda:e:1:f</CloudFunction><InvocationRole>r</InvocationRole></CloudFunctionConfiguration>',
    ],
    [
      'something in the bus',
      '<EventBridgeConfiguration><Topic>arn:aws:sns:e:1:t</Topic></EventBridgeConfiguration>',
    ],
    [
      'an unknown event',
      '<TopicConfiguration><Topic>arn:aws:sns:e:1:t</Topic><Event><a/></Event></TopicConfiguration>',
    ],
  ])('with %s are refused', (_, content) => {
    expect(refusal(notification(content))).toBe('MalformedXML');
  });
});

describe('replication', () => {
  const source = ['*', '*/*'].map((key) => `s3:GetObjectVersionForReplication arn:aws:s3:::data-lake/${key}`);
  const to = (bucket: string, more: readonly string[] = []): string[] =>
    ['*', '*/*'].flatMap((key) =>
      ['ReplicateObject', 'ReplicateDelete', 'ReplicateTags', ...more].map(
        (action) => `s3:${action} arn:aws:s3:::${bucket}/${key}`,
      ),
    );

  it('needs what the role would need, once for every bucket', () => {
    expect(needed(replication(rule('one') + rule('two') + rule('one')))).toEqual([
      ...source,
      ...to('one'),
      ...to('two'),
    ]);
    const owned = rule(
      'one',
      '<AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>',
    );
    expect(needed(replication(rule('one') + rule('two') + owned))).toEqual([
      ...source,
      ...to('one', ['ObjectOwnerOverrideToBucketOwner']),
      ...to('two'),
    ]);
  });

  it('needs what one rule needs, whatever the next one for its bucket says', () => {
    const owned = rule(
      'one',
      '<AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>',
    );
    const expected = [...source, ...to('one', ['ObjectOwnerOverrideToBucketOwner'])];
    expect(needed(replication(owned + rule('one')))).toEqual(expected);
    expect(needed(replication(rule('one') + owned))).toEqual(expected);
  });

  it('takes a thousand rules', () => {
    const rules = (count: number): string => Array.from({ length: count }, () => rule('archive')).join('');
    expect(needed(replication(rules(1000)))).toEqual([...source, ...to('archive')]);
    expect(refusal(replication(rules(1001)))).toBe('MalformedXML');
  });

  it.each([
    ['no rule', '', 'MalformedXML'],
    ['a role only', '<Role>arn:aws:iam::123456789012:role/r</Role>', 'MalformedXML'],
    ['two roles', `<Role/><Role/>${rule('archive')}`, 'MalformedXML'],
    [
      'a role that is a pattern',
      `<Role>arn:aws:iam::123456789012:role/*</Role>${rule('archive')}`,
      'MalformedXML',
    ],
    ['a user as the role', `<Role>arn:aws:iam::123456789012:user/u</Role>${rule('archive')}`, 'MalformedXML'],
    [
      'white space around the role',
      `<Role> arn:aws:iam::123456789012:role/r</Role>${rule('archive')}`,
      'MalformedXML',
    ],
    ['an unknown element', `<Token/>${rule('archive')}`, 'MalformedXML'],
    ['no destination', '<Rule><Status>Enabled</Status></Rule>', 'MalformedXML'],
    ['two destinations', rule('archive').replace('</Rule>', '<Destination/></Rule>'), 'MalformedXML'],
    [
      'a rule of another kind',
      rule('archive').replace('<Status>', '<Target>x</Target><Status>'),
      'MalformedXML',
    ],
    ['a destination of another kind', rule('archive', '<Endpoint>evil.example</Endpoint>'), 'MalformedXML'],
    ['a target of the store', replicationTo('arn:minio:replication::id:archive'), 'NotImplemented'],
    ['a pattern as the bucket', replicationTo('arn:aws:s3:::arch*'), 'NotImplemented'],
    ['a place of the store', replicationTo('arn:aws:s3:::admin'), 'InvalidBucketName'],
  ])('with %s is refused', (_, content, code) => {
    expect(refusal(replication(content))).toBe(code);
  });
});

function replicationTo(arn: string): string {
  return `<Rule><Destination><Bucket>${arn}</Bucket></Destination></Rule>`;
}
