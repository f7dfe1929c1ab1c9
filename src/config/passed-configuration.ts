/*
 * A configuration that one thread has read and checked, for another thread. Compiled policies have functions and secrets hide what they
 * are, so neither can be passed: the other thread reads the same values again, without the YAML library and the texts' positions, and
 * in steps. It reads no file, so that it cannot find another version of one.
 */

import type { Steps } from '../core/steps.ts';
import { ConfigurationInputs, type Input } from './inputs.ts';
import { type LoadResult, loadConfiguration, loadInSteps, type Overrides } from './load.ts';
import { type PackedValue, packValue, unpackValue } from './packed-value.ts';
import type { PolicyVocabulary } from './policy-vocabulary.ts';
import { documentOf, type FileDocument, type FileReader, type FileText } from './sources.ts';
import type { SourcePosition } from './yaml-document.ts';

/** What is read again: plain data. */
export interface ReadAgain {
  readonly path: string;
  readonly overrides: Overrides;
  /** `lengths` of the inputs in force. */
  readonly lengths: ReadonlyMap<string, number>;
  /** The heap of the thread that answers requests. */
  readonly heapBytes: number;
}

/** What was read: plain data, and a secret as a whole. */
export type PassedConfiguration = { readonly inputs: ReadonlyMap<string, Input> } & (
  | { readonly ok: false; readonly problems: readonly string[] }
  | {
      readonly ok: true;
      readonly warnings: readonly string[];
      /** The files that are no YAML, by path. */
      readonly texts: ReadonlyMap<string, FileText>;
      readonly documents: ReadonlyMap<string, PackedValue>;
    }
);

/** Reads and checks the whole configuration. */
export function readForAnotherThread(request: ReadAgain, vocabulary: PolicyVocabulary): PassedConfiguration {
  const files = new RememberedFiles(request.lengths);
  try {
    return readAndPack(request, vocabulary, files);
  } catch (error) {
    // An error of the program itself is no reason to read the same files again and again.
    return { ok: false, problems: [cannotBeRead(request.path, error)], inputs: files.list() };
  }
}

function readAndPack(
  { path, overrides, heapBytes }: ReadAgain,
  vocabulary: PolicyVocabulary,
  files: RememberedFiles,
): PassedConfiguration {
  const loaded = loadConfiguration(path, overrides, { vocabulary, files, heapBytes });
  const inputs = files.list();
  if (!loaded.ok) return { ok: false, problems: loaded.problems, inputs };
  const { texts, values } = files;
  const documents = new Map([...values].map(([name, value]) => [name, packValue(value)]));
  return { ok: true, warnings: loaded.warnings, texts, documents, inputs };
}

/** The problem that stands for an error of the program itself, whose text could quote a secret. */
export function cannotBeRead(path: string, error: unknown): string {
  return `${path} cannot be read: ${error instanceof Error ? error.name : 'unknown error'}`;
}

/** What another thread has read, in steps. */
export function* takeOver(
  passed: PassedConfiguration,
  { path, overrides }: Pick<ReadAgain, 'path' | 'overrides'>,
): Steps<LoadResult> {
  if (!passed.ok) return passed;
  const values = new Map<string, unknown>();
  for (const [name, packed] of passed.documents) values.set(name, yield* unpackValue(packed));
  const files = new PassedFiles(passed, values);
  const loaded = yield* loadInSteps(path, overrides, { hasTelemetry: true, files });
  if (loaded.ok) return { ...loaded, warnings: passed.warnings };
  // INVARIANT: it was read without a problem. What has changed since, such as a time, is another reason not to take it over.
  return { ok: false, problems: [`${path} cannot be read: it differs when it is read again`] };
}

/** Remembers also what the files hold. */
class RememberedFiles extends ConfigurationInputs {
  readonly texts = new Map<string, FileText>();
  readonly values = new Map<string, unknown>();

  override read(path: string, maxBytes: number): FileText {
    const file = super.read(path, maxBytes);
    this.texts.set(path, file);
    return file;
  }

  override readDocument(path: string, maxBytes: number): FileDocument {
    // Not by `read` of this class: a text that is passed on takes one turn, however long it is.
    const file = documentOf(super.read(path, maxBytes));
    if (file.ok) this.values.set(path, file.yaml.document?.value);
    return file;
  }
}

const notRead = { ok: false, reason: 'was not read' } as const;
const start: SourcePosition = { line: 1, column: 1 };

/** The files as they were read. */
class PassedFiles implements FileReader {
  readonly #texts: ReadonlyMap<string, FileText>;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #inputs: ReadonlyMap<string, Input>;

  constructor(
    { texts, inputs }: PassedConfiguration & { readonly ok: true },
    values: ReadonlyMap<string, unknown>,
  ) {
    this.#texts = texts;
    this.#values = values;
    this.#inputs = inputs;
  }

  read(path: string): FileText {
    return this.#texts.get(path) ?? notRead;
  }

  readDocument(path: string): FileDocument {
    if (!this.#values.has(path)) return notRead;
    const value = this.#values.get(path);
    return {
      ok: true,
      yaml: { document: { value, positionOf: () => start, keyPositionOf: () => start }, faults: [] },
    };
  }

  characters(): number {
    return new ConfigurationInputs(undefined, this.#inputs).characters();
  }
}
