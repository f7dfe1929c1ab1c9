import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { codeOf, type Destination, SinkError } from './destination.ts';

/** A file that is rotated by size. */
export interface AuditFile {
  readonly path: string;
  /** The file is rotated before it would grow longer. No record is as long. */
  readonly maxBytes: number;
  /** Files in all: `audit.log`, and `audit.log.1` (the newest) to the oldest. */
  readonly count: number;
}

/** Only its owner and group read it: it names every object. */
const fileMode = 0o640;

/** Without waiting: a pipe that nobody reads would be waited for without end. */
const openFlags: number = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * Records as lines of a file. When it is removed or renamed, a new one takes its place at the next batch, so that `logrotate` may
 * rotate it too. Written by this folder itself, because it must know which records a full disk has not taken.
 */
export class FileDestination implements Destination {
  readonly name = 'file';
  readonly batch = { lines: 1_000, bytes: 262_144 };
  readonly isLocal = true;
  readonly #file: AuditFile;
  #handle: FileHandle | undefined;
  #length = 0;
  /** False for a device or a pipe, which is never rotated. */
  #isRegular = true;
  /** True while the file cannot be rotated. */
  #isStuck = false;
  /** Bytes of the batch that were written before an attempt failed. */
  #written = 0;

  readonly #onStuck: (cause: string) => void;

  /** @param onStuck called once when the file cannot be rotated, and grows on */
  constructor(file: AuditFile, onStuck: (cause: string) => void) {
    this.#file = file;
    this.#onStuck = onStuck;
  }

  async open(): Promise<void> {
    await this.#attempt(() => this.#ready(0));
  }

  async deliver(lines: readonly string[]): Promise<number> {
    const bytes = Buffer.from(lines.join(''));
    await this.#attempt(async () => {
      // A line that was begun is ended in the same file.
      const handle = await this.#ready(this.#written > 0 ? 0 : bytes.length);
      while (this.#written < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, this.#written);
        this.#written += bytesWritten;
        this.#length += bytesWritten;
      }
      this.#written = 0;
    });
    return lines.length;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  /** The open file, with room for that many bytes. */
  async #ready(bytes: number): Promise<FileHandle> {
    if (this.#handle !== undefined && !(await this.#isInPlace(this.#handle))) {
      await this.close();
      this.#written = 0;
    }
    this.#handle ??= await this.#openFile();
    const isFull = this.#length > 0 && this.#length + bytes > this.#file.maxBytes;
    if (!isFull || !this.#isRegular) return this.#handle;
    if (!(await this.#isRotated())) return this.#handle;
    await this.close();
    this.#handle = await this.#openFile();
    return this.#handle;
  }

  async #openFile(): Promise<FileHandle> {
    const handle = await open(this.#file.path, openFlags, fileMode);
    const found = await handle.stat();
    this.#length = found.size;
    this.#isRegular = found.isFile();
    return handle;
  }

  async #isInPlace(handle: FileHandle): Promise<boolean> {
    const [own, there] = await Promise.all([handle.stat(), stat(this.#file.path).catch(() => undefined)]);
    return there !== undefined && own.ino === there.ino && own.dev === there.dev;
  }

  /** False where the folder takes no other file, or the file is a mount of its own. No record is lost by that. */
  async #isRotated(): Promise<boolean> {
    try {
      await this.#rotate();
      this.#isStuck = false;
      return true;
    } catch (error) {
      if (!this.#isStuck) this.#onStuck(codeOf(error));
      this.#isStuck = true;
      return false;
    }
  }

  /** Renames each file to the next number. The oldest one is replaced. Nothing changes when the first of them cannot be renamed. */
  async #rotate(): Promise<void> {
    const { path, count } = this.#file;
    if (count === 1) {
      await rm(path, { force: true });
      return;
    }
    // What a program that was killed in the middle of it has left.
    await this.#makeRoom();
    await ignoreMissing(rename(path, `${path}.0`));
    await this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    const { path, count } = this.#file;
    if ((await stat(`${path}.0`).catch(() => undefined)) === undefined) return;
    for (let number = count - 1; number > 1; number -= 1)
      await ignoreMissing(rename(`${path}.${number - 1}`, `${path}.${number}`));
    await rename(`${path}.0`, `${path}.1`);
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      throw new SinkError(`${JSON.stringify(this.#file.path)} cannot be written to: ${codeOf(cause)}`, {
        cause,
      });
    }
  }
}

async function ignoreMissing(action: Promise<void>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
