import { chartValues, conditions } from './chart-values.ts';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';

/** `values.schema.json` of the Helm chart. */
export function chartSchema(): JsonSchema {
  const schema = forHelm(jsonSchemaOf(chartValues)) as JsonSchema;
  const { secret = {}, ...definitions } = schema.definitions ?? {};
  const [, ...references] = secret.anyOf ?? [];
  return {
    ...schema,
    allOf: conditions,
    definitions: {
      ...definitions,
      secret: {
        description: '{ env: NAME } or { file: path }; the ConfigMap must hold no secret',
        anyOf: references,
      },
    },
  };
}

/**
 * Leaves out defaults, which are those of the program and not of the chart, and patterns that Go's regular expressions
 * cannot have: look-ahead, and more than 1000 repetitions. The program checks these.
 */
function forHelm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forHelm);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, member]) => key !== 'default' && !(key === 'pattern' && /\(\?[=!<]|\d{4}\}/.test(String(member))),
  );
  return Object.fromEntries(kept.map(([key, member]) => [key, forHelm(member)]));
}
