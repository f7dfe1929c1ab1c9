import { describe, expect, it } from 'vitest';
import { chartSchema } from '../../scripts/chart-schema.ts';
import { generatedFiles } from '../../scripts/generated-files.ts';
import { configurationSchema, type JsonSchema } from '../../scripts/json-schema.ts';

describe('generated files are those of the tables; `npm run generate` writes them', () => {
  it.each(Object.entries(generatedFiles))('%s', async (path, content) => {
    await expect(content()).toMatchFileSnapshot(`../../${path}`);
  });
});

/** Every setting inside a schema with its path; of a list, those of its items. */
function settingsIn(schema: JsonSchema, root: JsonSchema, path = ''): [path: string, JsonSchema][] {
  const name = (schema.$ref ?? schema.allOf?.[0]?.$ref)?.split('/').at(-1);
  const target = (name === undefined ? undefined : root.definitions?.[name]) ?? schema;
  const members = Object.entries(target.properties ?? {}).map(
    ([key, member]) => [`${path}.${key}`, member] as const,
  );
  const items = [target.items ?? [], target.items?.oneOf ?? []].flat();
  return [
    ...members.flatMap(([at, member]): [string, JsonSchema][] => [
      [at, member],
      ...settingsIn(member, root, at),
    ]),
    ...items.flatMap((item) => settingsIn(item, root, `${path}[]`)),
  ];
}

describe('every setting', () => {
  const file = configurationSchema();
  const settings = settingsIn(file, file);

  it('is found', () => {
    const paths = settings.map(([path]) => path);
    expect(paths).toContain('.server.limits.maxInFlight');
    expect(paths).toContain('.directory.identityProviders[].clientIds');
  });

  it('has a description, except the kind of a provider', () => {
    const silent = settings.filter(([, { description }]) => description === undefined);
    expect(new Set(silent.map(([path]) => path))).toEqual(new Set(['.directory.identityProviders[].kind']));
  });

  it('can be set by the value config of the chart', () => {
    const chart = chartSchema() as JsonSchema;
    const config = settingsIn(chart.properties?.['config'] ?? {}, chart);
    expect(config.map(([path]) => path)).toEqual(settings.map(([path]) => path));
  });
});

describe('the schema of the values of the chart', () => {
  it.each(['log', 'limits', 'outbound', 'directory', 'account'])('refuses unknown keys of %s', (name) => {
    const chart = JSON.stringify(chartSchema());
    const { properties, definitions } = JSON.parse(chart) as Record<string, Record<string, object>>;
    const value = definitions?.[name] ?? properties?.[name];
    expect(value).toMatchObject({ type: 'object', additionalProperties: false });
  });
});
