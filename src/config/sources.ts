import { closeSync, openSync, readSync } from 'node:fs';
import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { decodeUtf8 } from '../core/bytes.ts';
import type { IdentityKinds } from '../identity/kinds.ts';
import type { MemoryLimits } from './memory-estimate.ts';
import { processOpenFiles } from './open-files.ts';
import type { PolicyVocabulary } from './policy-vocabulary.ts';
import { parseYaml, type YamlResult } from './yaml-document.ts';

/** Values of command-line flags; absent flags are absent here. */
export interface Overrides {
  readonly listen?: string;
  readonly backend?: string;
  readonly logLevel?: string;
}

/** The text of a file, or why there is none; the reason quotes no content. */
export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/** A YAML file, or why it could not be read. */
export type FileDocument =
  | { readonly ok: true; readonly yaml: YamlResult }
  | { readonly ok: false; readonly reason: string };

/** Everything outside the configuration file that the configuration is read from. */
export interface ConfigurationSources {
  readonly overrides?: Overrides;
  /** What policies are checked against; without it there are no warnings about policies that can never match. */
  readonly vocabulary?: PolicyVocabulary;
  /** The memory that the limits must fit into; without it there are no warnings about limits. */
  readonly memory?: MemoryLimits;
  /** How many files the process may have open; without it there are no warnings about it. */
  readonly maxOpenFiles?: number | undefined;
  /** The kinds of identity providers; those of this version when absent. */
  readonly identityKinds?: IdentityKinds;
  /**
   * The variables of OpenTelemetry; without them no spans are exported. Commands that only read a configuration have none, since what the
   * environment of a developer says about spans is not for them.
   */
  readonly telemetry?: (name: string) => string | undefined;
  /** An environment variable; `undefined` when it is not set. */
  environment(name: string): string | undefined;
  /** Reads a UTF-8 file of at most `maxBytes`; relative paths start at the configuration file's folder. */
  readText(path: string, maxBytes: number): FileText;
  /** Reads a YAML file likewise; by {@link readText} when absent. */
  readDocument?(path: string, maxBytes: number): FileDocument;
  /** The path of a file that is written; relative paths start at the configuration file's folder. */
  resolvePath?(path: string): string;
}

/** Reads files, and may remember them. */
export interface FileReader {
  read(path: string, maxBytes: number): FileText;
  readDocument(path: string, maxBytes: number): FileDocument;
}

/** Parses the text of a YAML file. */
export function documentOf(file: FileText): FileDocument {
  return file.ok ? { ok: true, yaml: parseYaml(file.text) } : file;
}

const plainFiles: FileReader = {
  read: readBoundedText,
  readDocument: (path, maxBytes) => documentOf(readBoundedText(path, maxBytes)),
};

/**
 * The sources of this process: its environment, and its files relative to `folder`.
 * @param heapBytes the heap of the thread that answers requests; that of this thread when absent
 */
export function processSources(
  folder: string,
  overrides: Overrides,
  files: FileReader = plainFiles,
  heapBytes: number = getHeapStatistics().heap_size_limit,
): ConfigurationSources {
  return {
    overrides,
    environment: (name) => process.env[name],
    readText: (path, maxBytes) => files.read(resolve(folder, path), maxBytes),
    readDocument: (path, maxBytes) => files.readDocument(resolve(folder, path), maxBytes),
    resolvePath: (path) => resolve(folder, path),
    memory: processMemory(heapBytes),
    maxOpenFiles: processOpenFiles(),
  };
}

/** The memory of this process. Without a limit the system reports 0, or more memory than any machine has. */
export function processMemory(heapBytes: number): MemoryLimits {
  const constrained = process.constrainedMemory();
  return {
    containerBytes: constrained > 0 && constrained < totalmem() ? constrained : undefined,
    heapBytes,
  };
}

/** The configuration file to use: the `--config` flag, else `STS_SIDECAR_CONFIG`. */
export function configurationPath(flag: string | undefined): string | undefined {
  const variable = process.env['STS_SIDECAR_CONFIG'];
  return flag ?? (variable === '' ? undefined : variable);
}

/** Reads a UTF-8 file of at most `maxBytes`. Reads no further, so that a device or pipe cannot fill the memory. */
export function readBoundedText(path: string, maxBytes: number): FileText {
  let bytes: Buffer;
  try {
    bytes = readAtMost(path, maxBytes + 1);
  } catch (error) {
    return { ok: false, reason: `cannot be read: ${errorCode(error)}` };
  }
  if (bytes.length > maxBytes) return { ok: false, reason: `is larger than ${maxBytes} bytes` };
  const text = decodeUtf8(bytes);
  return text === undefined ? { ok: false, reason: 'is not UTF-8' } : { ok: true, text };
}

const chunkBytes = 64 * 1024;

function readAtMost(path: string, maxBytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    while (size < maxBytes) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, maxBytes - size));
      const count = readSync(file, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      size += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(file);
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
}
