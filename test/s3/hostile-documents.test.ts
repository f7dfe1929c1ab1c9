import { describe, expect, it } from 'vitest';
import { operations } from '../../src/s3/operations/index.ts';
import { namesOf, operationVectors, refusalOf, understood, type WrittenRequest } from './vectors.ts';

const deep = (levels: number): string => `${'<A>'.repeat(levels)}x${'</A>'.repeat(levels)}`;

/** Operations whose document is read, with the fullest document of their vectors. */
const reading: readonly (readonly [string, WrittenRequest, string])[] = operationVectors.flatMap(
  ({ name, authorizations }) => {
    const rule = operations.find((operation) => operation.name === name)?.document;
    const isAcl = name === 'PutBucketAcl' || name === 'PutObjectAcl';
    if (rule?.read === undefined || isAcl) return [];
    const written = authorizations
      .filter(({ refusal, body = '' }) => refusal === undefined && body !== '')
      .sort((left, right) => (right.body?.length ?? 0) - (left.body?.length ?? 0));
    const [fullest] = written;
    return fullest?.body === undefined ? [] : [[name, fullest, fullest.body] as const];
  },
);

const take = (written: WrittenRequest, body: string | Buffer): string =>
  refusalOf(() => understood(written, Buffer.isBuffer(body) ? body : Buffer.from(body, 'utf8')));

/** The text between the first tag and the last. */
function partsOf(body: string): { open: string; inside: string; close: string } {
  const full = body.replace(/^<(\w+)\/>$/, '<$1></$1>');
  const first = full.indexOf('>') + 1;
  const last = full.lastIndexOf('</');
  return { open: full.slice(0, first), inside: full.slice(first, last), close: full.slice(last) };
}

describe('documents that are read', () => {
  it('are these', () => {
    expect(reading.map(([name]) => name).sort()).toEqual([
      'CreateBucket',
      'DeleteObjects',
      'PutBucketAnalyticsConfiguration',
      'PutBucketInventoryConfiguration',
      'PutBucketLogging',
      'PutBucketNotificationConfiguration',
      'PutBucketReplication',
      'PutBucketVersioning',
      'PutObjectLegalHold',
      'PutObjectRetention',
      'PutObjectTagging',
      'RestoreObject',
      'UpdateObjectEncryption',
    ]);
  });
});

describe.each(reading)('the document of %s', (name, written, body) => {
  const { open, inside, close } = partsOf(body);
  const limit = operations.find((operation) => operation.name === name)?.document?.maxBytes ?? 0;
  const text = />([^<]+)</.exec(body)?.[1] ?? '';
  const lines = new Map<string, string | Buffer>([
    ['a DOCTYPE', `<!DOCTYPE x SYSTEM "http://evil.example/x">${body}`],
    ['a DOCTYPE with entities', `<!DOCTYPE x [<!ENTITY a "b">]>${body.replace(`>${text}<`, '>&a;<')}`],
    ['an undeclared entity', body.replace(`>${text}<`, '>&xxe;<')],
    ['an entity of HTML', body.replace(`>${text}<`, '>&nbsp;<')],
    ['a reference to NUL', body.replace(`>${text}<`, `>${text}&#0;<`)],
    ['a reference to half a character', body.replace(`>${text}<`, `>${text}&#xD800;<`)],
    ['too many levels', `${open}${deep(50)}${close}`],
    ['ten thousand levels', `${open}${deep(10_000).slice(0, limit)}${close}`],
    ['an element it does not know', `${open}${inside}<Surprise>1</Surprise>${close}`],
    ['an element named like a property', `${open}${inside}<__proto__>1</__proto__>${close}`],
    ['another root', `<Other>${inside}</Other>`],
    ['the root in other capitals', `${open.toLowerCase()}${inside}${close.toLowerCase()}`],
    [
      'the root in a namespace by prefix',
      `${open.replace('<', '<s3:')}${inside}${close.replace('</', '</s3:')}`,
    ],
    ['a second root', `${body}${body}`],
    ['another document behind it', `${body}<Other/>`],
    ['text behind it', `${body}x`],
    ['text before it', `x${body}`],
    ['no end', `${open}${inside}`],
    ['an end only', `${inside}${close}`],
    ['ends in the wrong order', `${open}<A><B></A></B>${close}`],
    ['text beside its elements', `${open}text${inside}${close}`],
    ['CDATA beside its elements', `${open}<![CDATA[text]]>${inside}${close}`],
    ['nothing but white space', '   \n'],
    ['a declaration only', '<?xml version="1.0"?>'],
    ['a comment only', '<!-- x -->'],
    ['JSON', '{"Key":"a"}'],
    ['UTF-16', Buffer.from(`\ufeff${body}`, 'utf16le')],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(body.slice(0, -close.length)), Buffer.from([0xff]), Buffer.from(close)]),
    ],
    [
      'an overlong NUL',
      Buffer.concat([Buffer.from(open), Buffer.from([0xc0, 0x80]), Buffer.from(inside + close)]),
    ],
    ['a NUL', `${open}\0${inside}${close}`],
    ['two attributes of one name', `${open.replace('>', ' a="1" a="2">')}${inside}${close}`],
    ['an attribute without quotes', `${open.replace('>', ' a=1>')}${inside}${close}`],
    ['a byte more than its limit', body + ' '.repeat(limit + 1 - Buffer.byteLength(body))],
  ]);

  // A tag set and a list of keys have no text of their own that a store could read, and it is not passed on.
  const dropped = new Set([
    'text beside its elements',
    'CDATA beside its elements',
    'a NUL',
    'an overlong NUL',
  ]);

  it.each([...lines])('is refused with %s', (flaw, hostile) => {
    const outcome = take(written, hostile);
    if (outcome.startsWith('accepted') && dropped.has(flaw)) {
      const { document, batch } = understood(written, Buffer.from(hostile));
      const passedOn = (batch?.writeBody([0]) ?? document)?.toString() ?? '';
      expect(passedOn).not.toMatch(/text|\0/);
      return;
    }
    expect(outcome).toBe('MalformedXML');
  });

  it('is refused with an element of it twice, or is a list of them', () => {
    const lists = new Set([
      'Object',
      'Rule',
      'Tag',
      'Event',
      'Field',
      'TopicConfiguration',
      'QueueConfiguration',
      'CloudFunctionConfiguration',
    ]);
    const leaves = [...body.matchAll(/<(\w[\w-]*)>([^<]*)<\/\1>/g)].filter(
      ([, element = '']) => !lists.has(element),
    );
    for (const [whole] of leaves) {
      const doubled = body.replace(whole, whole + whole);
      expect(`${whole} ${take(written, doubled)}`).toMatch(/ (?:MalformedXML|NotImplemented)$/);
    }
    const first = /^<(\w[\w-]*)>/.exec(inside)?.[1];
    if (first === undefined || lists.has(first)) return;
    const end = inside.indexOf(`</${first}>`) + first.length + 3;
    const twice = `${open}${inside.slice(0, end)}${inside}${close}`;
    expect(take(written, twice)).toBe('MalformedXML');
  });

  it('means the same in another spelling, which is not passed on', () => {
    const plain = understood(written, Buffer.from(body));
    const passedOn = (request: typeof plain): string =>
      (
        request.batch?.writeBody(request.batch.items.map((_, index) => index)) ?? request.document
      )?.toString() ?? '';
    const dressed = [
      `\ufeff${body}`,
      `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${body}`,
      `<?xml-stylesheet href="x"?>${body}\n<!-- after -->\n`,
      body.replace('>', ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">').replace('/ xmlns', ' xmlns'),
      body.replace(
        '>',
        ' xmlns="urn:something-else" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x">',
      ),
      `${open}\n  <!-- ${text} -->\n  ${inside}\n${close}`,
      text === '' ? body : body.replace(`>${text}<`, `><![CDATA[${text}]]><`),
      text === '' ? body : body.replace(`>${text}<`, `>&#${text.codePointAt(0) ?? 0};${text.slice(1)}<`),
    ];
    for (const variant of dressed) {
      const request = understood(written, Buffer.from(variant));
      expect(passedOn(request)).toBe(passedOn(plain));
      expect(passedOn(request)).not.toMatch(/CDATA|<!--|something-else|standalone|stylesheet/);
      expect(namesOf(request.permissions)).toEqual(namesOf(plain.permissions));
      expect(request.conditionKeys).toEqual(plain.conditionKeys);
      expect(request.batch?.items).toEqual(plain.batch?.items);
    }
    expect(plain.batch !== undefined || plain.isDocumentRewritten === true).toBe(true);
  });
});

describe('no document', () => {
  it.each(reading)('of %s is refused, unless it means the default', (name, written) => {
    const isDefault = name === 'CreateBucket' || name === 'RestoreObject';
    expect(take(written, '')).toBe(isDefault ? `accepted as ${name}` : 'MalformedXML');
  });
});

describe('a document that is passed on byte for byte', () => {
  const passing = operations.filter(({ document }) => document !== undefined && document.read === undefined);

  it('is only one that names nothing else', () => {
    expect(passing.map(({ name }) => name).sort()).toEqual([
      'CompleteMultipartUpload',
      'PutBucketAbac',
      'PutBucketAccelerateConfiguration',
      'PutBucketCors',
      'PutBucketEncryption',
      'PutBucketIntelligentTieringConfiguration',
      'PutBucketLifecycleConfiguration',
      'PutBucketMetricsConfiguration',
      'PutBucketOwnershipControls',
      'PutBucketPolicy',
      'PutBucketRequestPayment',
      'PutBucketTagging',
      'PutBucketWebsite',
      'PutObjectAnnotation',
      'PutObjectLockConfiguration',
      'PutPublicAccessBlock',
      'SelectObjectContent',
    ]);
  });

  it.each(passing.map(({ name }) => name))('%s changes nothing of the request', (name) => {
    const vector = operationVectors.find((vectors) => vectors.name === name)?.authorizations[0];
    if (vector === undefined) throw new Error(`no vector of ${name}`);
    const bytes = Buffer.from('<!DOCTYPE x><whatever/>\0\xff', 'latin1');
    const request = understood(vector, bytes);
    expect(request.document).toBe(bytes);
    expect(request.isDocumentRewritten).toBeUndefined();
    expect(namesOf(request.permissions)).toEqual(vector.permissions);
  });
});
