import { describe, expect, it } from 'vitest';
import { readXml, XmlError } from '../../src/core/xml.ts';

describe('a document of many tags', () => {
  const limits = { maxBytes: 1_000_000, maxDepth: 4, maxTags: 100 };
  const read = (text: string): unknown => readXml(Buffer.from(text), limits);

  it('is read up to the number that is allowed', () => {
    expect(read(`<a>${'<b/>'.repeat(98)}</a>`)).toMatchObject({ name: 'a' });
  });

  it.each([
    ['too many elements', `<a>${'<b/>'.repeat(99)}</a>`],
    ['elements among text', `<a>${'x<b/>'.repeat(1000)}</a>`],
    ['comments', `<a>${'<!---->'.repeat(1000)}</a>`],
    ['closing tags', `<a>${'</a>'.repeat(1000)}`],
    ['many attributes', `<a ${'b '.repeat(3000)}></a>`],
    ['a tag without an end', `<a>${'x'.repeat(10)}<b ${' '.repeat(5000)}`],
  ])('is refused with %s', (_, text) => {
    expect(() => read(text)).toThrow(XmlError);
  });
});
