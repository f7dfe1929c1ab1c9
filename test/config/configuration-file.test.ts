import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configurationFile, configurationOutline } from '../../src/config/configuration-file.ts';

const everySection: unknown = parse(readFileSync(new URL('every-section.yaml', import.meta.url), 'utf8'));

describe('the schema of the whole file', () => {
  it('accepts a file with every section', () => {
    expect(configurationFile.safeParse(everySection).error).toBeUndefined();
  });

  it('has exactly the keys that are read', () => {
    expect(Object.keys(configurationFile.shape)).toEqual(Object.keys(configurationOutline.shape));
  });
});
