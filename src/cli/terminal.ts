/** Where a command writes: data to stdout, prose to stderr. */
export interface Terminal {
  readonly data: (text: string) => void;
  readonly prose: (text: string) => void;
}

/** The process's own streams. */
export const processTerminal: Terminal = {
  data: (text) => void process.stdout.write(`${text}\n`),
  prose: (text) => void process.stderr.write(`${text}\n`),
};

/** Exit codes of every command: stable, part of the public contract. */
export const exitCodes = { ok: 0, failure: 1, badConfiguration: 2 } as const;
