import { readFileSync } from 'node:fs';
import type { Settings } from './settings.ts';

type Limits = Pick<Settings['server']['limits'], 'maxConnections' | 'maxInFlight'>;

/** For the admin and control listeners, identity providers, Redis, and the program itself. */
const others = 256;

/**
 * A message about `server.limits` that need more open files than the process may have. Each connection is one, and each request
 * in flight has another to the store. When none is left, new connections are closed, those of callers too.
 */
export function openFilesFault(
  { maxConnections, maxInFlight }: Limits,
  maxOpenFiles: number,
): string | undefined {
  const need = maxConnections + maxInFlight + others;
  if (need <= maxOpenFiles) return undefined;
  return (
    `may need ${need} open files, and the process may have ${maxOpenFiles}: ` +
    'lower maxConnections or maxInFlight, or raise the hard limit on open files (ulimit -Hn)'
  );
}

/** The limit of this process, which Node has raised to the hard limit; `undefined` where Linux does not tell. */
export function processOpenFiles(): number | undefined {
  try {
    const [, limit] = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
