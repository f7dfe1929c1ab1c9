/*
 * This folder owns the commands of `sts-sidecar`: their flags, help texts, output and exit codes.
 * In: the command line, standard input, and the files that a command names.
 * Out: data on stdout, messages for people on stderr, and one of the exit codes in `terminal.ts`.
 * Commands hold no access rules of their own: they call the code that the running sidecar uses.
 * Only `serve`, `injector` and `demo` open a listener.
 */

import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { configurationPath } from '../config/sources.ts';
import { systemRandomness } from '../core/randomness.ts';
import { version } from '../version.ts';
import { addConfig } from './config-commands.ts';
import { addExplain } from './explain-command.ts';
import { addInjector } from './injector.ts';
import { generateKey } from './keys-generate.ts';
import { addPolicy } from './policy-commands.ts';
import { serve } from './serve.ts';
import { exitCodes, processTerminal, type Terminal } from './terminal.ts';
import { addToken } from './token-commands.ts';

/** Runs one command line (without the program's name) and returns the exit code. */
export async function run(
  argumentsGiven: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argumentsGiven], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.badConfiguration;
  }
}

function buildProgram(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('sts-sidecar')
    .description('AWS temporary credentials for any S3-compatible store')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.data(text.trimEnd()),
      writeErr: (text) => terminal.prose(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows the usage)');
  addServe(program, terminal, exit);
  addDemo(program, terminal, exit);
  addConfig(program, terminal, exit);
  const keys = program.command('keys').description('work with token keys');
  keys
    .command('generate')
    .description('print a new token key for tokens.keys')
    .addHelpText('after', '\nExample:\n  sts-sidecar keys generate > token-key')
    .action(() => exit(generateKey(systemRandomness, terminal)));
  addPolicy(program, terminal, exit);
  addExplain(program, terminal, exit);
  addToken(program, terminal, exit);
  addInjector(program, terminal, exit);
  return program;
}

function addServe(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('serve')
    .description('run the sidecar in the foreground')
    .option('--config <file>', 'the configuration file (or STS_SIDECAR_CONFIG)')
    .option('--listen <host:port>', 'overrides server.listen')
    .option('--backend <url>', 'overrides backend.endpoint')
    .option('--log-level <level>', 'overrides log.level')
    .addHelpText('after', '\nExample:\n  sts-sidecar serve --config sidecar.yaml --log-level warn')
    .action(async (options: Record<string, string | undefined>) => {
      const path = configurationPath(options['config']);
      if (path === undefined) program.error('serve needs --config or STS_SIDECAR_CONFIG');
      exit(await serve(path, overridesOf(options), terminal));
    });
}

function overridesOf(options: Record<string, string | undefined>): {
  listen?: string;
  backend?: string;
  logLevel?: string;
} {
  const { listen, backend, logLevel } = options;
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(backend === undefined ? {} : { backend }),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
}

function addDemo(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('demo')
    .description('run the sidecar with an in-memory demo store; nothing else has to be installed')
    .option('--once', 'run the scenario once and exit 0 or 1', false)
    .option(
      '--port <port>',
      'the port to listen on, 0 for any free one (default: 9000 if it is free)',
      parsePort,
    )
    .addHelpText('after', '\nExamples:\n  sts-sidecar demo\n  sts-sidecar demo --once')
    .action(async ({ once, port }: { once: boolean; port?: number }) => {
      const loaded = await loadDemo();
      if (loaded === undefined)
        program.error('the demo is not part of the container image: run it from the package');
      exit(await loaded.demo({ once, port }, terminal));
    });
}

/** The demo, which the container image leaves out. */
async function loadDemo(): Promise<typeof import('./demo.ts') | undefined> {
  try {
    return await import('./demo.ts');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('a port is a number from 0 to 65535');
  return port;
}
