import type { z } from 'zod';
import { chartValues, conditions } from './chart-values.ts';
import { jsonSchemaOf } from './json-schema.ts';

/** `values.schema.json` of the Helm chart. */
export function chartSchema(): object {
  const schema = jsonSchemaOf(chartValues, forHelm);
  const { secret = {}, ...definitions } = schema.definitions ?? {};
  const [, ...references] = secret.anyOf ?? [];
  const description = 'Where a secret is read from; the ConfigMap must hold none.';
  return {
    ...schema,
    allOf: conditions,
    definitions: { ...definitions, secret: { description, anyOf: references } },
  };
}

/**
 * Takes away defaults, which are those of the program and not of the chart, and patterns that Go's regular expressions
 * cannot have: look-ahead, and more than 1000 repetitions. The program checks these.
 */
function forHelm(schema: z.core.JSONSchema.BaseSchema): void {
  delete schema.default;
  if (/\(\?[=!<]|\d{4}\}/.test(schema.pattern ?? '')) delete schema.pattern;
}
