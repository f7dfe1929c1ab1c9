import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { traps } from './traps.ts';

const testFile = (file: string): URL => new URL(`../${file}`, import.meta.url);

describe('every known trap', () => {
  it.each(traps)('has tests: $trap', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, title] of tests) {
      expect(existsSync(testFile(file)), file).toBe(true);
      expect(readFileSync(testFile(file), 'utf8'), file).toContain(title);
    }
  });

  it('is listed once', () => {
    expect(new Set(traps.map(({ trap }) => trap)).size).toBe(traps.length);
  });
});
