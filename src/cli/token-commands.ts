import type { Command } from 'commander';
import { configurationPath } from '../config/sources.ts';
import { systemClock } from '../core/clock.ts';
import { readInput, type Terminal } from './terminal.ts';
import { inspectToken } from './token-inspect.ts';

const inspectHelp = `
Exit code: 0 for a token that a key of this configuration sealed, also when it is expired, revoked or its role is gone
(see "status"); 1 for any other text; 2 for a configuration that is wrong.

Examples:
  echo "$AWS_SESSION_TOKEN" | sts-sidecar token inspect --config sidecar.yaml
  sts-sidecar token inspect --config sidecar.yaml "$AWS_SESSION_TOKEN" | jq -r .sessionId`;

/** Adds `token inspect`. */
export function addToken(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const token = program.command('token').description('work with session tokens');
  const command: Command = token
    .command('inspect')
    .description('print the contents of a session token, without its secret access key')
    .option('--config <file>', 'the configuration file with the key ring (or STS_SIDECAR_CONFIG)')
    .argument('[token]', 'the session token; read from standard input when it is - or omitted', '-')
    .addHelpText('after', inspectHelp)
    .action(async (given: string, { config }: { config?: string }) => {
      const path = configurationPath(config);
      if (path === undefined) command.error('token inspect needs --config or STS_SIDECAR_CONFIG');
      const text = given === '-' ? await readInput() : given;
      exit(await inspectToken(path, text, terminal, systemClock));
    });
}
