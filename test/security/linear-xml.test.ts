import { describe, expect, it } from 'vitest';
import { readXml, writeXml } from '../../src/core/xml.ts';
import { readSamlMetadata } from '../../src/identity/saml/metadata.ts';
import { readMessage } from '../../src/identity/saml/read-message.ts';
import { understood, type WrittenRequest } from '../s3/vectors.ts';
import { type Frames, superLinear } from '../support/hostile-texts.ts';

const inXml: Frames = [
  (text) => text,
  (text) => `<a>${text}</a>`,
  (text) => `<a>${text}`,
  (text) => `<a b="${text}"/>`,
  (text) => `<a ${text}/>`,
  (text) => `<${text}/>`,
  (text) => `<a></${text}>`,
  (text) => `<a><!--${text}--></a>`,
  (text) => `<a><![CDATA[${text}]]></a>`,
  (text) => `<a><?b ${text}?></a>`,
  (text) => `<?xml version="1.0" ${text}?><a/>`,
];

const limits = { maxBytes: 8 * 1024 * 1024, maxDepth: 8 };

describe('steps at most double with the length of', () => {
  it('an XML document', async () => {
    expect(await superLinear((text) => readXml(Buffer.from(text), limits), inXml)).toEqual([]);
  });

  it('an XML document that is written', async () => {
    expect(await superLinear((text) => writeXml('a', { b: text, c: [text, { d: text }] }, text))).toEqual([]);
  });

  const documents: readonly (readonly [WrittenRequest, Frames])[] = [
    [
      { request: 'POST /b?delete' },
      [
        (text) => `<Delete>${text}</Delete>`,
        (text) => `<Delete><Object><Key>${text}</Key></Object></Delete>`,
      ],
    ],
    [
      { request: 'PUT /b?replication' },
      [(text) => text, (text) => `<ReplicationConfiguration>${text}</ReplicationConfiguration>`],
    ],
    [{ request: 'PUT /b/k?tagging' }, [(text) => `<Tagging><TagSet>${text}</TagSet></Tagging>`]],
    [
      { request: 'PUT /b?notification' },
      [(text) => `<NotificationConfiguration>${text}</NotificationConfiguration>`],
    ],
    [{ request: 'PUT /b?logging' }, [(text) => `<BucketLoggingStatus>${text}</BucketLoggingStatus>`]],
  ];
  it.each(documents)('the document of %j', async (request, frames) => {
    expect(await superLinear((text) => understood(request, Buffer.from(text)), frames)).toEqual([]);
  });

  it('a SAML response', async () => {
    const read = (text: string): unknown => readMessage(Buffer.from(text).toString('base64'));
    expect(await superLinear(readMessage)).toEqual([]);
    expect(await superLinear(read, inXml)).toEqual([]);
  });

  it('SAML metadata', async () => {
    expect(await superLinear(readSamlMetadata, inXml)).toEqual([]);
  });
});
