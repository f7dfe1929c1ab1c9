import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-document.ts';

function faultsOf(text: string): string[] {
  return parseYaml(text).faults.map(
    ({ position, message }) => `${position.line}:${position.column} ${message}`,
  );
}

function readYaml(text: string): unknown {
  const { document, faults } = parseYaml(text);
  expect(faults).toEqual([]);
  return document?.value;
}

describe('parseYaml', () => {
  it.each([
    ['a repeated key', 'a: 1\na: 2', '2:1 the key is repeated'],
    ['a key repeated in another notation', '"a": 1\n\'a\': 2', '2:1 the key is repeated'],
    ['a second document', 'a: 1\n---\nb: 2', '2:1 the file must hold one YAML document'],
    ['YAML 1.1', '%YAML 1.1\n---\na: yes', '1:1 only YAML 1.2 is supported'],
    ['an unknown tag', 'a: !foo 1', '1:4 unknown YAML tag'],
    ['a binary tag', 'a: !!binary aGk=', '1:4 unknown YAML tag'],
    ['a mapping as a key', '? [a]\n: 1', '1:3 keys must be plain text'],
    ['an alias as a key', 'a: &x 1\n*x : 2', '2:1 keys must be plain text'],
    ['an alias without an anchor', 'a: *nope', '1:4 the alias names no anchor before it'],
    ['an alias inside its own anchor', 'a: &x [*x]', '1:8 the alias names no anchor before it'],
    ['an unknown directive', '%FOO\n---\na: 1', '1:1 malformed YAML directive'],
    ['a tab', 'a:\n\tb: 1', '2:1 tabs cannot indent YAML: use spaces'],
    ['an unclosed list', 'a: [1', '1:6 wrong indentation, or a list or mapping that is not closed'],
    [
      'an unclosed string',
      'a: "x',
      '1:6 a character is missing: a closing quote, a comma, a colon or a space',
    ],
    ['a __proto__ key', '__proto__: {}', '1:1 the key __proto__ is not allowed'],
    ['a repeated key in brackets', 'a: {b: 1, c: 2, b: 3}', '1:17 the key is repeated'],
    ['a repeated key deep inside', 'a:\n  - b: 1\n    c: 2\n    b: 3', '4:5 the key is repeated'],
    ['a repeated key with an anchor', 'a: 1\n&x a: 2', '2:4 the key is repeated'],
  ])('rejects %s', (_, text, fault) => {
    expect(faultsOf(text)).toContain(fault);
  });

  it('reports a repeated key once, also where an alias repeats its mapping', () => {
    expect(faultsOf('a: &x {b: 1, b: 2}\nc: *x\nd: *x')).toEqual(['1:14 the key is repeated']);
    expect(parseYaml('a: 1\na: 2').document?.value).toEqual({ a: 1 });
  });

  it.each([
    ['brackets', '['.repeat(300_000)],
    ['braces', '{a: '.repeat(300_000)],
    ['list dashes', '- '.repeat(300_000)],
    ['question marks', '? '.repeat(300_000)],
  ])('rejects endless nesting with %s without recursion', (_, text) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(/^1:\d+ nested too deeply$/)]);
  });

  it('rejects nesting by indentation', () => {
    const text = Array.from({ length: 100 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n');
    expect(faultsOf(text).some((fault) => fault.endsWith('nested too deeply'))).toBe(true);
  });

  it('rejects aliases that multiply beyond bounds', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level += 1) {
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    expect(faultsOf(lines.join('\n')).some((fault) => fault.endsWith('more than 1000000 values'))).toBe(true);
  });

  it('accepts aliases', () => {
    expect(readYaml('a: &x { k: [1] }\nb: *x')).toEqual({ a: { k: [1] }, b: { k: [1] } });
  });

  it('resolves an alias to the anchor last seen, not to one of the same name inside a repetition', () => {
    expect(readYaml('a: &x { k: &y 1 }\nb: &y 2\nc: *x\nd: *y')).toEqual({
      a: { k: 1 },
      b: 2,
      c: { k: 1 },
      d: 2,
    });
  });

  it('keeps << an ordinary key', () => {
    expect(readYaml('a: &x { k: 1 }\nb: { <<: *x }')).toEqual({ a: { k: 1 }, b: { '<<': { k: 1 } } });
  });

  it.each([
    ['012345678901', '012345678901'],
    ['12345678901234567890', '12345678901234567890'],
    ['1.0', '1.0'],
    ['0x1F', '0x1F'],
    ['True', 'True'],
    ['yes', 'yes'],
    ['2026-11-22', '2026-11-22'],
    ['31', 31],
    ['true', true],
  ])('reads %s as written', (text, value) => {
    expect(readYaml(`a: ${text}`)).toEqual({ a: value });
  });

  it('finds the places of values and keys, and the surroundings of a missing value', () => {
    const { document } = parseYaml('a:\n  - b: 1\n    c: [x,\n      y]\nd: &z { e: 2 }\nf: *z');
    expect(document?.positionOf(['a', 0, 'c', 1])).toEqual({ line: 4, column: 7 });
    expect(document?.keyPositionOf(['a', 0, 'c'])).toEqual({ line: 3, column: 5 });
    expect(document?.positionOf(['a', 0, 'missing', 'deeper'])).toEqual({ line: 2, column: 5 });
    expect(document?.positionOf(['f', 'e'])).toEqual({ line: 5, column: 12 });
  });

  it('counts lines in files with Windows line ends', () => {
    expect(faultsOf('a: 1\r\nb: 2\r\na: 3\r\n')).toEqual(['3:1 the key is repeated']);
  });
});
