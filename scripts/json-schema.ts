import { z } from 'zod';
import { configurationFile } from '../src/config/configuration-file.ts';

/** A JSON Schema, as far as the generated files read and change it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/**
 * The form of what a zod schema reads, as JSON Schema draft 7, which most editors and Helm know.
 * @param change is applied to each part of it
 */
export function jsonSchemaOf(
  schema: z.ZodType,
  change: (part: z.core.JSONSchema.BaseSchema) => void = () => undefined,
): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-07',
    // A check that is code: what it demands is in the description.
    unrepresentable: 'any',
    override: ({ jsonSchema }) => change(jsonSchema),
  }) as JsonSchema;
}

/** The JSON Schema of a configuration file, for editors. */
export function configurationSchema(): JsonSchema {
  return { ...jsonSchemaOf(configurationFile), description: 'The configuration file of sts-sidecar.' };
}

/** A JSON Schema as the text of a file. */
export function fileText(schema: object): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
