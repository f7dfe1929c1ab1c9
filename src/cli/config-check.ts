import { loadConfiguration } from '../config/load.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** Validates a configuration file exactly as start-up does and prints every problem. */
export function checkConfiguration(path: string, terminal: Terminal): number {
  const loaded = loadConfiguration(path, {});
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    terminal.prose(`${path}: ${loaded.problems.length} problem${loaded.problems.length === 1 ? '' : 's'}`);
    return exitCodes.badConfiguration;
  }
  for (const warning of loaded.warnings) terminal.prose(`warning: ${warning}`);
  const { users, roles, policies } = loaded.directory;
  terminal.prose(
    `${path}: ok (${users.length} users, ${roles.length} roles, ${policies.length} managed policies)`,
  );
  return exitCodes.ok;
}
