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

/** What is written down of a zod schema, as the JSON Schema that most editors and Helm know. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-07', unrepresentable: 'any' }) as JsonSchema;
}

/** The JSON Schema of a configuration file, for editors. */
export function configurationSchema(): JsonSchema {
  return { ...jsonSchemaOf(configurationFile), description: 'The configuration file of sts-sidecar.' };
}

/** A JSON Schema as the text of a file. */
export function fileText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
