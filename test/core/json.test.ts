import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonError, parseJson } from '../../src/core/json.ts';

const limits = { maxBytes: 10_000 };

describe('parseJson', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text, { maxBytes: 1_000_000 })).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['a repeated key', '{"a":1,"a":2}'],
    ['a repeated key behind an escape', '{"a":1,"\\u0061":2}'],
    ['a repeated key deep inside', '[{"x":{"a":[],"b":{},"a":1}}]'],
    ['a repeated key with space before the colon', '{"a" :1,"a"\n:2}'],
    ['a repeated key after a nested object', '{"a":{"a":1},"a":1}'],
    ['a repeated __proto__', '{"__proto__":1,"__proto__":2}'],
    ['a repeated key that looks like an escape', '{"a\\\\":1,"a\\\\":2}'],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{/* */}'],
    ['two values', '{} {}'],
    ['nothing', ''],
    ['a byte order mark', '\ufeff{}'],
    ['single quotes', "{'a':1}"],
    ['NaN', '[NaN]'],
    ['depth 33', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['more bytes than the limit, counted in UTF-8', JSON.stringify('é'.repeat(5000))],
  ])('rejects %s', (_title, text) => {
    expect(() => parseJson(text, limits)).toThrow(JsonError);
  });

  it.each([
    ['equal keys of different objects', '[{"a":1},{"a":2},{"b":{"a":3},"a":4}]'],
    ['a value that equals a key', '{"a":"a","b":"a"}'],
    ['brackets and colons inside strings', '{"a":"}:{","b":"\\":"}'],
    ['depth 32', `${'['.repeat(32)}${']'.repeat(32)}`],
  ])('accepts %s', (_title, text) => {
    expect(parseJson(text, limits)).toEqual(JSON.parse(text));
  });

  it('says where the text stops being JSON', () => {
    expect(() => parseJson('{"a":1,}', limits)).toThrow('not valid JSON at position 7');
  });
});
