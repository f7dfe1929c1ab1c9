import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childText, escapeXml, readXml, writeXml, type XmlElement, XmlError } from '../../src/core/xml.ts';

const limits = { maxBytes: 1_000_000, maxDepth: 4 };
const read = (text: string): XmlElement => readXml(Buffer.from(text), limits);

describe('a document', () => {
  it.each<[string, string, string]>([
    ['text', '<a>x</a>', 'x'],
    ['no content', '<a/>', ''],
    ['white space', '<a> \n\tx </a>', ' \n\tx '],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a>x</a>\n', 'x'],
    ['a declaration in single quotes', "<?xml version='1.0' encoding='utf-8' ?><a>x</a>", 'x'],
    ['a byte order mark', '\ufeff<a>x</a>', 'x'],
    ['comments', '<!-- 1 --><a>x<!-- <b> & -->y</a><!----> ', 'xy'],
    ['processing instructions', '<?style x?><a>x<?y <b> ?>z</a><?z?>', 'xz'],
    ['CDATA sections', '<a>1<![CDATA[<b>&amp;]]]]><![CDATA[>]]>2</a>', '1<b>&amp;]]>2'],
    ['attributes', '<a b = "1>" c=\'"\' xmlns:d="urn:x" d:b="&lt;">x</a >', 'x'],
    ['the five entities', '<a>&amp;&lt;&gt;&quot;&apos;</a>', '&<>"\''],
    ['references', '<a>&#65;&#x42;&#13;&#x1F600;&#0000009;</a>', 'AB\r😀\t'],
    ['references of references', '<a>&amp;lt;&amp;#65;</a>', '&lt;&#65;'],
    ['line ends of every kind', '<a>1\r\n2\r3\n4\r\r\n5</a>', '1\n2\n3\n4\n\n5'],
    ['characters beyond ASCII', '<a>é€😀</a>', 'é€😀'],
  ])('with %s is read', (_, document, text) => {
    expect(read(document)).toEqual({ name: 'a', children: [], text });
  });

  it('keeps its elements apart from the text beside them', () => {
    const { children, text } = read('<a>1<b>2</b>3<c:b/><b>4<d>5</d></b></a>');
    expect(text).toBe('13');
    expect(children.map(({ name }) => name)).toEqual(['b', 'c:b', 'b']);
    expect(children[2]?.children).toEqual([{ name: 'd', children: [], text: '5' }]);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['white space only', ' \n '],
    ['text only', 'a'],
    ['a second root', '<a/><a/>'],
    ['text before the root', 'x<a/>'],
    ['text behind the root', '<a/>x'],
    ['a CDATA section outside the root', '<a/><![CDATA[x]]>'],
    ['a reference outside the root', '<a/>&#32;'],
    ['a NUL behind the root', '<a/>\0'],
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['a DOCTYPE inside', '<a><!DOCTYPE a></a>'],
    ['a declaration of an entity', '<a><!ENTITY b "c"></a>'],
    ['a declaration that comes late', ' <?xml version="1.0"?><a/>'],
    ['a declaration inside', '<a><?xml version="1.0"?></a>'],
    ['two declarations', '<?xml version="1.0"?><?XML version="1.0"?><a/>'],
    ['XML 1.1', '<?xml version="1.1"?><a/>'],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>'],
    ['a processing instruction without a name', '<a><? x?></a>'],
    ['a processing instruction without an end', '<a><?x ></a>'],
    ['a comment without an end', '<a><!-- x></a>'],
    ['a comment with two dashes', '<a><!-- x -- y --></a>'],
    ['a comment with three dashes', '<a><!-- x ---></a>'],
    ['a CDATA section without an end', '<a><![CDATA[x]]</a>'],
    ['a CDATA section in lower case', '<a><![cdata[x]]></a>'],
    ['the end of a CDATA section', '<a>]]></a>'],
    ['no end', '<a>x'],
    ['no end of its tag', '<a'],
    ['another end', '<a></b>'],
    ['an end that is longer', '<a></ab>'],
    ['an end in another letter case', '<a></A>'],
    ['an end with attributes', '<a></a b="1">'],
    ['ends in the wrong order', '<a><b></a></b>'],
    ['an end too many', '<a></a></a>'],
    ['an element without a name', '<a>< b/></a>'],
    ['a name that starts with a digit', '<a><1/></a>'],
    ['a name beyond ASCII', '<a><é/></a>'],
    ['a name with a slash', '<a/b></a/b>'],
    ['an attribute without a value', '<a b/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['an attribute without an end', '<a b="1/>'],
    ['an attribute twice', '<a b="1" b="1"/>'],
    ['attributes without a gap', '<a b="1"c="2"/>'],
    ['a tag in an attribute', '<a b="<"/>'],
    ['an unknown entity in an attribute', '<a b="&c;"/>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an entity in another letter case', '<a>&AMP;</a>'],
    ['an entity that is named like a property', '<a>&constructor;</a>'],
    ['an ampersand', '<a>x & y</a>'],
    ['an ampersand at the end', '<a>&</a>'],
    ['an entity without a semicolon', '<a>&amp</a>'],
    ['an empty reference', '<a>&;&#;&#x;</a>'],
    ['a reference with a sign', '<a>&#-65;</a>'],
    ['a reference with a capital X', '<a>&#X41;</a>'],
    ['a reference with a point', '<a>&#65.0;</a>'],
    ['a reference to NUL', '<a>&#0;</a>'],
    ['a reference to a control character', '<a>&#x1F;</a>'],
    ['a reference to half a character', '<a>&#xDBFF;</a>'],
    ['a reference to U+FFFF', '<a>&#xFFFF;</a>'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>'],
    ['a control character', '<a>\u0001</a>'],
    ['U+FFFE', '<a>\ufffe</a>'],
    ['too many levels', '<a><b><c><d><e/></d></c></b></a>'],
  ])('with %s is refused', (_, document) => {
    expect(() => read(document)).toThrow(XmlError);
  });

  it('is refused when its bytes are not UTF-8, or too many', () => {
    for (const bytes of [
      [0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e],
      [0xc0, 0x80],
    ]) {
      expect(() => readXml(Buffer.from(bytes), limits)).toThrow(XmlError);
    }
    expect(() => readXml(Buffer.from('<a/>'), { ...limits, maxBytes: 3 })).toThrow(XmlError);
  });

  it('is read as it was written', () => {
    const character = fc.constantFrom(...Array.from('<>&"\'\r\n\t ]-x;#é😀'));
    const texts = fc.array(fc.string({ unit: character }), { minLength: 1 });
    fc.assert(
      fc.property(texts, (values) => {
        const { children } = read(writeXml('a', { b: values, c: { d: values[0] } }, 'urn:<&">'));
        expect(children.filter(({ name }) => name === 'b').map(({ text }) => text)).toEqual(values);
        expect(children.map((child) => childText(child, 'd')).at(-1)).toBe(values[0]);
      }),
    );
  });

  it('of any text is read or refused', () => {
    const part = fc.constantFrom(
      ...[
        '<',
        '>',
        '</',
        '/>',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?',
        '?>',
        '&',
        ';',
        '#',
        '=',
        '"',
        'a',
        ' ',
      ],
      ...['<a>', '</a>', '<a/>', '<!DOCTYPE a>', '\r', 'xml', '&amp;'],
    );
    fc.assert(
      fc.property(fc.string({ unit: part, maxLength: 40 }), (text) => {
        try {
          expect(read(`<a>${text}</a>`).name).toBe('a');
        } catch (error) {
          expect(error).toBeInstanceOf(XmlError);
        }
      }),
    );
  });
});

describe('a text that is written', () => {
  it.each([
    ['plain text', 'a b-é€😀\t\n', 'a b-é€😀\t\n'],
    ['markup', '<a b="1">&amp;\r', '&lt;a b=&quot;1&quot;&gt;&amp;amp;&#13;'],
    ['control characters', 'a\0b\u000bc\u001f', 'a\ufffdb\ufffdc\ufffd'],
    ['U+FFFE and U+FFFF', '\ufffe\uffff', '\ufffd\ufffd'],
    ['halves of characters', '\ud800a\udfff\udc00\ud800', '\ufffda\ufffd\ufffd\ufffd'],
  ])('has its %s escaped or replaced', (_, text, escaped) => {
    expect(escapeXml(text)).toBe(escaped);
  });
});

describe('a document of many tags', () => {
  const few = { ...limits, maxMarkup: 100 };
  const readFew = (text: string): XmlElement => readXml(Buffer.from(text), few);

  it('is read up to the number that is allowed', () => {
    expect(readFew(`<a>${'<b/>'.repeat(98)}</a>`).children).toHaveLength(98);
    expect(readFew(`<a>${'<b c="1"/>'.repeat(49)}</a>`).children).toHaveLength(49);
  });

  it.each([
    ['elements', `<a>${'<b/>'.repeat(99)}</a>`],
    ['elements that have an end', `<a>${'<b></b>'.repeat(50)}</a>`],
    ['elements among text', `<a>${'x<b/>'.repeat(99)}</a>`],
    ['comments', `<a>${'<!---->'.repeat(99)}</a>`],
    ['comments outside', `<a/>${'<!---->'.repeat(100)}`],
    ['CDATA sections', `<a>${'<![CDATA[]]>'.repeat(99)}</a>`],
    ['processing instructions', `<a>${'<?b?>'.repeat(99)}</a>`],
    ['references', `<a>${'&lt;'.repeat(99)}</a>`],
    ['references in an attribute', `<a b="${'&lt;'.repeat(99)}"/>`],
    ['attributes', `<a ${Array.from({ length: 100 }, (_, index) => `b${index}="" `).join('')}/>`],
  ])('is refused with too many %s', (_, text) => {
    expect(() => readFew(text)).toThrow('document has too much markup');
  });

  it('is read when it is as large as the largest that are in use', () => {
    const big = { maxBytes: 8 * 1024 * 1024, maxDepth: 5 };
    const entry = (index: number): string =>
      `<Object><Key>${String(index).padEnd(1024, 'k')}</Key><VersionId>null</VersionId><ETag>&quot;e&quot;</ETag></Object>`;
    const entries = Array.from({ length: 1_000 }, (_, index) => entry(index)).join('\r\n');
    expect(readXml(Buffer.from(`<Delete>${entries}</Delete>`), big).children).toHaveLength(1_000);
    const bucket =
      '<Bucket><Name>some-bucket</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate><BucketRegion>us-east-1</BucketRegion><BucketArn>arn:aws:s3:::some-bucket</BucketArn></Bucket>';
    const list = `<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets>${bucket.repeat(10_000)}</Buckets></ListAllMyBucketsResult>`;
    expect(readXml(Buffer.from(list), big).children[1]?.children).toHaveLength(10_000);
    const part = '<Part><ETag>&quot;e&quot;</ETag><PartNumber>1</PartNumber></Part>';
    const parts = `<CompleteMultipartUpload>${part.repeat(10_000)}</CompleteMultipartUpload>`;
    expect(readXml(Buffer.from(parts), big).children).toHaveLength(10_000);
  });

  it('is refused with more references or elements than a thousand keys can need', () => {
    const big = { maxBytes: 8 * 1024 * 1024, maxDepth: 4 };
    const readBig = (text: string): XmlElement => readXml(Buffer.from(text), big);
    expect(readBig(`<a>${'&amp;'.repeat(119_000)}</a>`).text).toHaveLength(119_000);
    expect(() => readBig(`<a>${'&amp;'.repeat(120_001)}</a>`)).toThrow('document has too much markup');
    expect(() => readBig(`<a>${'<b/>&amp;'.repeat(60_000)}</a>`)).toThrow('document has too much markup');
    expect(() => readBig(`<a>${'<b c=""/>'.repeat(10_001)}</a>`)).toThrow('document has too many attributes');
    expect(() => readBig(`<a>${'<b/>'.repeat(120_000)}</a>`)).toThrow('document has too much markup');
  });
});
