import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parsePolicyDocument } from '../iam/document.ts';
import { maxConfigurationBytes, textLike } from '../schema/scalars.ts';
import type { Path } from './path.ts';
import { ProblemLog } from './problem-log.ts';
import { Reading, type ReadingContext } from './reading.ts';
import { processSources, readBoundedText } from './sources.ts';
import { parseYaml } from './yaml-document.ts';

/** A file of cases, to which more problems can be added as they are found. */
export interface PolicyCaseFile {
  /** The configuration that the file names, relative to its own folder. */
  readonly config: string | undefined;
  /** Without those that are malformed. */
  readonly cases: readonly PolicyCase[];
  /** Reports a problem at a place, for example `['cases', 0, 'principal']`. */
  problem(path: Path, message: string): void;
  /** Everything wrong so far, `file:line:column path: message`. */
  problems(): readonly string[];
}

const texts = z
  .union([z.string(), z.array(z.string()).min(1, { error: 'must not be empty' })], {
    error: 'must be text, or a list of texts',
  })
  .transform((value) => (typeof value === 'string' ? [value] : value));

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const values = z
  .union([scalar, z.array(scalar)], { error: 'must be a value, or a list of values' })
  .transform((value) => (typeof value === 'string' ? [value] : value));

const caseShape = z.strictObject({
  name: textLike(/^[^\p{Cc}]+$/u, 'must be one line of text'),
  principal: z.string().optional(),
  webIdentityProvider: z.string().optional(),
  samlProvider: z.string().optional(),
  sessionToken: z.boolean().default(false),
  mfaAgeSeconds: z.number().optional(),
  federatedBy: z.string().optional(),
  policyNames: z.array(z.string()).default([]),
  action: texts,
  resource: texts,
  context: z
    .record(z.string(), values)
    .default({})
    .transform(Object.entries<string[]>),
  absent: z.array(z.string()).default([]),
  sessionPolicy: z.unknown().optional(),
  sessionPolicyArns: z.array(z.string()).default([]),
  scopeDown: z.array(z.unknown()).default([]),
  tags: z
    .record(z.string(), scalar)
    .default({})
    .transform(Object.entries<string>),
  // `deny` is either kind.
  expect: z.enum(['allow', 'deny', 'implicitDeny', 'explicitDeny']),
  matchedSid: z.string().optional(),
});

/** One case as written; the names in it are not looked up yet. */
export interface PolicyCase
  extends Readonly<Omit<z.infer<typeof caseShape>, 'action' | 'resource' | 'sessionPolicy' | 'scopeDown'>> {
  /** Where it stands, for problems. */
  readonly path: Path;
  /** From 1. */
  readonly line: number;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** JSON text. */
  readonly sessionPolicy: string | undefined;
  /** JSON texts. */
  readonly scopeDown: readonly string[];
}

const root = z.strictObject({
  config: z.string().min(1, { error: 'must be the path of a file' }).optional(),
  cases: z.array(z.unknown()).min(1, { error: 'must hold at least one case' }),
});

/** Reads a file of cases as strictly as the configuration is read. `reason` says why it could not be read. */
export function readPolicyCases(
  fileName: string,
):
  | { readonly ok: true; readonly file: PolicyCaseFile }
  | { readonly ok: false; readonly problems: string[] } {
  const text = readBoundedText(fileName, maxConfigurationBytes);
  if (!text.ok) return { ok: false, problems: [`${fileName} ${text.reason}`] };
  const context: ReadingContext = {
    problems: new ProblemLog(),
    warnings: new ProblemLog(),
    sources: processSources(dirname(fileName), {}),
  };
  const { document, faults } = parseYaml(text.text);
  for (const { position, message } of faults) {
    context.problems.add({ source: fileName, position, path: '' }, message);
  }
  if (document === undefined) return { ok: false, problems: context.problems.list() };
  const file = { name: fileName, document, value: document.value, mount: [], origins: new Map() };
  const reading = new Reading(file, context);
  reading.read([], root);
  const cases = Array.from({ length: reading.lengthAt(['cases']) }, (_, index) => {
    const path: Path = ['cases', index];
    return readCase(reading, path, document.positionOf(path).line);
  }).filter((one) => one !== undefined);
  refuseRepeatedNames(reading, cases);
  const config = reading.valueAt(['config']);
  return {
    ok: true,
    file: {
      config: typeof config === 'string' ? resolve(dirname(fileName), config) : undefined,
      cases,
      problem: (path, message) => reading.problem(path, message),
      problems: () => context.problems.list(),
    },
  };
}

function readCase(reading: Reading, path: Path, line: number): PolicyCase | undefined {
  const shape = reading.read(path, caseShape);
  const source = reading.valueAt([...path, 'sessionPolicy']);
  if (source !== undefined && !isSessionPolicy(reading, [...path, 'sessionPolicy'])) return undefined;
  if (shape === undefined) return undefined;
  const layers = shape.scopeDown.map((_, index) => [...path, 'scopeDown', index]);
  if (!layers.every((layer) => isSessionPolicy(reading, layer))) return undefined;
  const scopeDown = shape.scopeDown.map((layer) => JSON.stringify(layer));
  const { action: actions, resource: resources, ...others } = shape;
  const sessionPolicy = source === undefined ? undefined : JSON.stringify(source);
  return { ...others, path, line, actions, resources, sessionPolicy, scopeDown };
}

function isSessionPolicy(reading: Reading, path: Path): boolean {
  return reading.readPolicy(path, (value) => parsePolicyDocument(value, 'session')) !== undefined;
}

function refuseRepeatedNames(reading: Reading, cases: readonly PolicyCase[]): void {
  const lines = new Map<string, number>();
  for (const { name, path, line } of cases) {
    const before = lines.get(name);
    if (before === undefined) lines.set(name, line);
    else reading.problem([...path, 'name'], `repeats the name of the case in line ${before}`);
  }
}
