/** Where a command writes: data to stdout, prose to stderr. */
export interface Terminal {
  readonly data: (text: string) => void;
  readonly prose: (text: string) => void;
}

/** The process's own streams. */
export const processTerminal: Terminal = {
  data: (text) => void process.stdout.write(`${harmless(text)}\n`),
  prose: (text) => void process.stderr.write(`${harmless(text)}\n`),
};

/**
 * Escapes what a terminal acts on, or what hides or reorders other characters, as JSON does: policies, keys and session names of others are shown. JSON
 * stays the same for its readers.
 */
function harmless(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.split('').map(escapedUnit).join(''),
  );
}

function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Goes on when stdout or stderr cannot be written to. By default the process ends when the reader of one has gone. Any other error, such as
 * a full disk, makes the exit code that of a failure.
 */
export function surviveWriteErrors(): void {
  let isIncomplete = false;
  const note = ({ code }: NodeJS.ErrnoException): void => {
    isIncomplete ||= code !== 'EPIPE';
  };
  process.once('exit', (code) => {
    if (isIncomplete && code === exitCodes.ok) process.exitCode = exitCodes.failure;
  });
  for (const stream of [process.stdout, process.stderr]) stream.on('error', note);
}

/** Longer than the input of any command. */
const maxInputBytes = 65_536;

/** Standard input, or its beginning where it is longer than any command needs. */
export async function readInput(stream: AsyncIterable<unknown> = process.stdin): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    chunks.push(bytes);
    length += bytes.length;
    if (length > maxInputBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Exit codes of every command: stable, part of the public contract. */
export const exitCodes = { ok: 0, failure: 1, badConfiguration: 2 } as const;
