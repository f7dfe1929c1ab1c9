import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../scripts/generated-files.ts';
import { configurationSchema, type JsonSchema } from '../../scripts/json-schema.ts';

describe('generated files are those of the tables; `npm run generate` writes them', () => {
  it.each(Object.entries(generatedFiles))('%s', async (path, content) => {
    await expect(content()).toMatchFileSnapshot(`../../${path}`);
  });
});

/** The paths of settings that have no description; what they are is said by the section or the key itself. */
function silentSettings(path: string, schema: JsonSchema): string[] {
  const inside = [schema, schema.items ?? {}, ...(schema.items?.oneOf ?? [])];
  return inside.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([key, member]) => [
      ...(member.description === undefined ? [`${path}${key}`] : []),
      ...silentSettings(`${path}${key}.`, member),
    ]),
  );
}

describe('every setting', () => {
  it('has a description', () => {
    const silent = silentSettings('', configurationSchema());
    expect(silent.filter((path) => path !== 'directory.identityProviders.kind')).toEqual([]);
  });
});
