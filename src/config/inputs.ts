import { createHash } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { documentOf, type FileDocument, type FileReader, type FileText, readBoundedText } from './sources.ts';

/** A file as it was read: plain data. */
export interface Input {
  /** Of which more is not read. */
  readonly maxBytes: number;
  /** Characters of its text; 0 when it could not be read. */
  readonly length: number;
  readonly digest: string;
  /** The state of the file when it last had that content; `undefined` before the first check. */
  state?: string | undefined;
}

/** What a file may have at a reload, whatever it had before. */
const usualBytes = 262_144;

/** What a file of that length may have when it is read again. */
function mostAgain(maxBytes: number, length: number): number {
  return Math.min(maxBytes, Math.max(usualBytes, 2 * length));
}

/** The files that a configuration was read from, with a digest of each. */
export class ConfigurationInputs implements FileReader {
  readonly #inputs: Map<string, Input>;
  readonly #inForce: ReadonlyMap<string, number> | undefined;

  /**
   * @param inForce for a reload, the {@link lengths} of the configuration in force. Pipes and devices are refused then, which may block
   * the process for ever, and so is a file that has grown far beyond what it was: problems in megabytes of text can take all memory,
   * which ends the process
   * @param inputs {@link list} of files that another thread has read
   */
  constructor(inForce?: ReadonlyMap<string, number>, inputs: ReadonlyMap<string, Input> = new Map()) {
    this.#inForce = inForce;
    this.#inputs = new Map(inputs);
  }

  /** What is remembered of each file: plain data, without its text. */
  list(): ReadonlyMap<string, Input> {
    return this.#inputs;
  }

  /** The length of each file's text, in characters. */
  lengths(): ReadonlyMap<string, number> {
    return new Map([...this.#inputs].map(([path, { length }]) => [path, length]));
  }

  /** Characters of all files together. */
  characters(): number {
    return [...this.#inputs.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Bytes that the files have now, as far as they would be read. */
  bytesNow(): number {
    const sizes = [...this.#inputs].map(([path, { maxBytes, length }]) =>
      Math.min(mostAgain(maxBytes, length), statusOf(path)?.size ?? 0),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Reads a UTF-8 file of at most `maxBytes`, and remembers what it held, or why it could not be read. */
  read(path: string, maxBytes: number): FileText {
    const inForce = this.#inForce;
    const most = inForce === undefined ? maxBytes : mostAgain(maxBytes, inForce.get(path) ?? 0);
    const text = inForce !== undefined && !isFile(path) ? notAFile : readBoundedText(path, most);
    const length = text.ok ? text.text.length : 0;
    this.#inputs.set(path, { maxBytes: most, length, digest: digestOf(text) });
    return text;
  }

  readDocument(path: string, maxBytes: number): FileDocument {
    return documentOf(this.read(path, maxBytes));
  }

  /**
   * A digest of what the files hold now, or `undefined` while they hold what was read. Files whose inode has not changed are not
   * read again, and neither are pipes and devices.
   */
  async changes(): Promise<string | undefined> {
    const digests: string[] = [];
    let haveChanged = false;
    for (const [path, input] of this.#inputs) {
      const state = await stateOf(path);
      const isKnown = state === 'no file' || (state !== undefined && state === input.state);
      const digest = isKnown ? input.digest : digestOf(readBoundedText(path, input.maxBytes));
      digests.push(digest);
      if (digest === input.digest) input.state = state;
      else haveChanged = true;
    }
    return haveChanged ? digests.join(' ') : undefined;
  }
}

// Any write and any swap of a symbolic link changes one of these. The time of the last write alone could be set by anyone.
async function stateOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) return 'no file';
    const { dev, ino, size, ctimeNs } = found;
    return [dev, ino, size, ctimeNs].join(' ');
  } catch {
    return undefined;
  }
}

function digestOf(file: FileText): string {
  if (!file.ok) return file.reason;
  return createHash('sha256').update(file.text).digest('hex');
}

const notAFile: FileText = { ok: false, reason: 'is not a regular file, and is read at the start only' };

/** True also for what cannot be looked at: reading it then says why. */
function isFile(path: string): boolean {
  return statusOf(path)?.isFile() !== false;
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
