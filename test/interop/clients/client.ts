import { execFile } from 'node:child_process';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import type { SdkCredentials } from '../../support/sdk.ts';
import { abridge } from '../abridge.ts';

/** Where a client works, and with which credentials. */
export interface Workplace {
  /** The sidecar's `http://127.0.0.1:PORT`, or `https://localhost:PORT`. */
  readonly endpoint: string;
  /** Of a role session. */
  readonly credentials: Required<SdkCredentials>;
  readonly bucket: string;
  /** For the client's own files. */
  readonly folder: string;
  /** Further variables of programs: whom they trust. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One S3 client as a user has it. */
export interface Client {
  /** Uploads a file in one request. */
  put(key: string, file: string): Promise<unknown>;
  /** Uploads a file of more than 16 MiB in parts. */
  putParts(key: string, file: string): Promise<unknown>;
  /** Downloads to a file. */
  get(key: string, file: string): Promise<unknown>;
  /** Downloads bytes 2 to 5 to a file. */
  getBytes2To5(key: string, file: string): Promise<unknown>;
  /** The keys that start with a prefix. */
  list(prefix: string): Promise<readonly string[]>;
  delete(key: string): Promise<unknown>;
  /** A URL that reads the object. */
  presign(key: string): Promise<string>;
}

/** A kind of client. */
export interface ClientKind {
  readonly name: string;
  /** What it cannot do, with the reason where it is made. */
  readonly lacks: readonly ('ranges' | 'presigning' | 'double slashes' | 'plain listings')[];
  readonly open: (place: Workplace) => Client | Promise<Client>;
}

/** For what a client lacks. */
export const lacking = (): Promise<never> => Promise.reject(new Error('the client cannot do this'));

/** Runs a program to its end and returns its standard output; the error of one that fails carries what it said. */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { env: cleanEnvironment(environment), timeout: 100_000, maxBuffer: 2 ** 26 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} failed (${String(error.code)}): ${abridge(stderr)}`));
    });
  });
}
