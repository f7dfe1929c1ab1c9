import type { z } from 'zod';
import { isMapping } from '../core/mapping.ts';
import { PolicyDocumentError } from '../iam/document.ts';
import { formatPath, type Path, parsePolicyPath } from './path.ts';
import type { ProblemLog, ProblemPlace } from './problem-log.ts';
import { describeIssue } from './shape.ts';
import type { ConfigurationSources } from './sources.ts';
import type { YamlDocument } from './yaml-document.ts';

/** What a {@link Reading} reads from and reports to. */
export interface ReadingContext {
  readonly problems: ProblemLog;
  readonly warnings: ProblemLog;
  readonly sources: ConfigurationSources;
}

/** One file as it is being read. */
export interface ReadingFile {
  readonly name: string;
  readonly document: YamlDocument;
  /** The document's value with flags and environment variables put in. */
  readonly value: unknown;
  /** Where the document's value stands in the configuration; empty for the main file. */
  readonly mount: Path;
  /** The flag or variable that a setting came from, by path. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Reads values out of one file by their path in the configuration and reports problems at their place in the text. Each
 * part is read on its own, so that one broken part does not hide the problems of the next.
 */
export class Reading {
  readonly context: ReadingContext;
  readonly #file: ReadingFile;

  constructor(file: ReadingFile, context: ReadingContext) {
    this.#file = file;
    this.context = context;
  }

  /** The name of the file. */
  get fileName(): string {
    return this.#file.name;
  }

  /**
   * Checks the value at `path` and reports every issue. Returns `undefined` when there is one; with unknown keys only,
   * which are reported too, it returns the rest, so that later checks find what they can.
   */
  read<T>(path: Path, schema: z.ZodType<T>): T | undefined {
    const value = this.valueAt(path);
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      for (const found of describeIssue(issue, path, schema, (at) => this.valueAt(at))) {
        if (found.isAboutKey) this.problemAtKey(found.path, found.message);
        else this.problem(found.path, found.message);
      }
    }
    return schema.safeParse(withoutUnknownKeys(value, result.error)).data;
  }

  /** The keys of the mapping at `path`; none when there is no mapping. */
  keysAt(path: Path): string[] {
    const value = this.valueAt(path);
    return isMapping(value) ? Object.keys(value) : [];
  }

  /** The number of items of the list at `path`; 0 when there is no list. */
  lengthAt(path: Path): number {
    const value = this.valueAt(path);
    return Array.isArray(value) ? value.length : 0;
  }

  /** The unchecked value at `path`. */
  valueAt(path: Path): unknown {
    let value: unknown = this.#file.value;
    for (const part of this.#inFile(path)) {
      if (isMapping(value)) value = Object.hasOwn(value, part) ? value[part] : undefined;
      else if (Array.isArray(value) && typeof part === 'number') value = value[part];
      else return undefined;
    }
    return value;
  }

  problem(path: Path, message: string): void {
    this.context.problems.add(this.#place(path), message);
  }

  /** Reports at the key instead of its value. */
  problemAtKey(path: Path, message: string): void {
    const inFile = this.#inFile(path);
    const position = this.#file.document.keyPositionOf(inFile);
    this.context.problems.add(
      { source: this.fileName, position, path: formatPath(inFile.map(masked)) },
      message,
    );
  }

  /** Runs a parser of the policy at `path` and reports what it refuses where in the policy it stands. */
  readPolicy<T>(path: Path, parse: (source: unknown) => T): T | undefined {
    try {
      return parse(this.valueAt(path));
    } catch (error) {
      if (!(error instanceof PolicyDocumentError)) throw error;
      for (const { path: inner, message } of error.problems) {
        const place = this.#place([...path, ...parsePolicyPath(inner)]);
        const shown = formatPath(this.#inFile(path)) + (inner === '' ? '' : `.${inner}`);
        this.context.problems.add({ ...place, path: shown }, message);
      }
      return undefined;
    }
  }

  warn(path: Path, message: string): void {
    this.context.warnings.add(this.#place(path), message);
  }

  /** Warns of the key instead of its value. */
  warnAtKey(path: Path, message: string): void {
    const position = this.#file.document.keyPositionOf(this.#inFile(path));
    this.context.warnings.add({ ...this.#place(path), position }, message);
  }

  #place(path: Path): ProblemPlace {
    const inFile = this.#inFile(path);
    const shown = formatPath(inFile);
    const origin = this.#file.origins.get(shown);
    if (origin !== undefined) return { source: origin, path: shown };
    return { source: this.fileName, position: this.#file.document.positionOf(inFile), path: shown };
  }

  #inFile(path: Path): Path {
    return path.slice(this.#file.mount.length);
  }
}

// No setting has a longer name; what is longer may be a secret that stands where a key should.
const longestKeyName = 32;

function masked(part: string | number): string | number {
  return typeof part === 'string' && part.length > longestKeyName ? `${part.slice(0, 4)}…` : part;
}

function withoutUnknownKeys(value: unknown, error: z.ZodError): unknown {
  const copy: unknown = structuredClone(value);
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    let target: unknown = copy;
    for (const part of issue.path) target = Reflect.get(Object(target), part);
    for (const key of issue.keys) Reflect.deleteProperty(Object(target), key);
  }
  return copy;
}
