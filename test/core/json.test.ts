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
    ['a number with more digits than are kept', '{"a":9007199254740993}'],
    ['a fraction with more digits than are kept', '[0.1234567890123456789]'],
    ['a number that becomes infinite', '[1e999]'],
    ['a trailing zero', '[1.0]'],
    ['an exponent where none is needed', '{"a":[1,1E3]}'],
    ['minus zero', '[-0]'],
    ['depth 33', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['more bytes than the limit, counted in UTF-8', JSON.stringify('é'.repeat(5000))],
  ])('rejects %s', (_title, text) => {
    expect(() => parseJson(text, limits)).toThrow(JsonError);
  });

  it.each([
    ['equal keys of different objects', '[{"a":1},{"a":2},{"b":{"a":3},"a":4}]'],
    ['a value that equals a key', '{"a":"a","b":"a"}'],
    ['brackets and colons inside strings', '{"a":"}:{","b":"\\":"}'],
    ['numbers as they are spelled', '[0,-1,12.5,1e+21,5e-324,9007199254740991]'],
    ['numbers inside strings', '{"1.0":"9007199254740993","a":"\\"1.0"}'],
    ['depth 32', `${'['.repeat(32)}${']'.repeat(32)}`],
  ])('accepts %s', (_title, text) => {
    expect(parseJson(text, limits)).toEqual(JSON.parse(text));
  });

  it('says what a number would become', () => {
    const message = 'JSON number 9007199254740993 would be read as 9007199254740992';
    expect(() => parseJson('{"a":9007199254740993}', limits)).toThrow(message);
    expect(() => parseJson(`[${'1'.repeat(5000)}]`, limits)).toThrow(/^.{1,150}$/);
  });

  it('reads a number in any spelling where the reader asks for it', () => {
    const text = '{"a":[9007199254740993,0.1234567890123456789,1.0,1E3,-0,1e999]}';
    expect(parseJson(text, { ...limits, numbers: 'any' })).toEqual(JSON.parse(text));
    expect(() => parseJson('{"a":1.0,"a":1}', { ...limits, numbers: 'any' })).toThrow(JsonError);
  });

  it('says where the text stops being JSON', () => {
    expect(() => parseJson('{"a":1,}', limits)).toThrow('not valid JSON at position 7');
  });
});
