import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { Secret } from '../../src/core/secret.ts';

const settings = (secret: string) => ({
  name: 'company',
  keys: [{ id: 'a', secret: new Secret(secret) }],
  tags: new Map([['team', 'blue']]),
  names: new Set(['x']),
  pattern: /^a$/,
});

describe('a fingerprint', () => {
  it('is the same for the same content', () => {
    expect(fingerprintOf(settings('one'))).toBe(fingerprintOf(settings('one')));
  });

  it.each([
    ['a secret', settings('two')],
    ['a text', { ...settings('one'), name: 'other' }],
    ['an entry of a map', { ...settings('one'), tags: new Map([['team', 'red']]) }],
    ['a member of a set', { ...settings('one'), names: new Set(['y']) }],
    ['a pattern', { ...settings('one'), pattern: /^b$/ }],
    ['a setting that is missing', { ...settings('one'), name: undefined }],
    ['a secret that is a text now', { ...settings('one'), keys: [{ id: 'a', secret: '[secret]' }] }],
  ])('differs by %s', (_, other) => {
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(settings('one')));
  });

  it('does not contain the secret', () => {
    expect(fingerprintOf(new Secret('visible'))).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused for a function, unless it is made from what stands beside it', () => {
    const condition = { values: ['a'], test: () => true };
    expect(() => fingerprintOf([condition])).toThrow(TypeError);
    expect(fingerprintOf([condition], 'derived')).toBe(fingerprintOf([{ values: ['a'] }]));
  });
});
