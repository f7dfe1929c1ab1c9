import { z } from 'zod';
import type { Path } from './path.ts';
import { suggest } from './suggest.ts';

/** One problem of a value's shape. */
export interface ShapeProblem {
  readonly path: Path;
  /** True when the key is wrong, not its value. */
  readonly isAboutKey: boolean;
  readonly message: string;
}

/**
 * Words a schema issue in the terms of the configuration file. No message quotes a value, which may be a misplaced
 * secret; keys and expected values are quoted.
 * @param base path of the value that `schema` was applied to
 * @param valueAt looks a value up by its full path
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  base: Path,
  schema: z.core.$ZodType,
  valueAt: (path: Path) => unknown,
): ShapeProblem[] {
  const inner = issue.path.filter((part) => typeof part !== 'symbol');
  const path = [...base, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, inner);
    return issue.keys.map((key) => ({
      path: [...path, key],
      isAboutKey: true,
      message: `unknown key${suggest(key, known)}`,
    }));
  }
  const value = valueAt(path);
  if (value === undefined) return [{ path, isAboutKey: false, message: 'is required' }];
  if (issue.code === 'invalid_key') return [{ path, isAboutKey: true, message: keyMessage(issue) }];
  const message = issue.code === 'invalid_value' ? describeChoice(issue, value) : plainMessage(issue);
  return [{ path, isAboutKey: false, message }];
}

function keyMessage(issue: z.core.$ZodIssueInvalidKey): string {
  return issue.issues[0]?.message ?? 'is not a valid key';
}

function describeChoice(issue: z.core.$ZodIssueInvalidValue, value: unknown): string {
  const choices = issue.values.map(String);
  const list = choices.map((choice) => JSON.stringify(choice)).join(', ');
  if (choices.length === 1) return `must be ${list}`;
  return `must be one of ${list}${typeof value === 'string' ? suggest(value, choices) : ''}`;
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'must be a list',
  boolean: 'must be true or false',
  object: 'must be a mapping',
  record: 'must be a mapping',
  string: 'must be text (numbers in quotes)',
};

function plainMessage(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' ? (typeNames[issue.expected] ?? issue.message) : issue.message;
}

/** The keys that the schema knows at a path inside it. */
function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  let current: z.core.$ZodType | undefined = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodObject) current = memberOf(current, part);
    else if (current instanceof z.ZodArray) current = current.element;
    else if (current instanceof z.ZodRecord) current = current.valueType;
    else return [];
    if (current === undefined) return [];
    current = unwrap(current);
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function memberOf(schema: z.ZodObject, key: string | number): z.core.$ZodType | undefined {
  return Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap();
  }
  return current;
}
