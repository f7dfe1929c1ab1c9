import { type Execution, execute, file, policyConfiguration } from './command.ts';

/** A text of the configuration, and what takes its place. */
export type Replacement = readonly [text: string, by: string];

function withReplaced(text: string, replaced: readonly Replacement[]): string {
  return replaced.reduce((before, [part, by]) => {
    if (!before.includes(part)) throw new Error(`there is no ${part}`);
    return before.replace(part, by);
  }, text);
}

/** Compares the configuration with one in which each of the texts is replaced. */
export function diff(...replaced: readonly Replacement[]): ReturnType<typeof between> {
  return between([], replaced);
}

/** Compares the configuration with some texts replaced with the same with others replaced. */
export async function between(
  before: readonly Replacement[],
  after: readonly Replacement[],
): Promise<Execution & { readonly lines: readonly string[] }> {
  const [was, is] = [before, after].map((replaced) => withReplaced(policyConfiguration, replaced));
  const execution = await execute('config', 'diff', file('was.yaml', was ?? ''), file('is.yaml', is ?? ''));
  return { ...execution, lines: execution.data === '' ? [] : execution.data.split('\n') };
}
