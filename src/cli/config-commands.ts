import type { Command } from 'commander';
import { checkConfiguration } from './config-check.ts';
import { diffConfigurations } from './config-diff.ts';
import type { Terminal } from './terminal.ts';

/** Adds `config check` and `config diff`. */
export function addConfig(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const config = program.command('config').description('work with configuration files');
  config
    .command('check')
    .description('validate a configuration file exactly as start-up does; exit 0 or 2')
    .argument('<file>', 'the configuration file')
    .option('--strict', 'also exit 2 when there are warnings', false)
    .addHelpText(
      'after',
      '\nExamples:\n  sts-sidecar config check sidecar.yaml\n  sts-sidecar config check --strict sidecar.yaml',
    )
    .action((file: string, { strict }: { strict: boolean }) =>
      exit(checkConfiguration(file, strict, terminal)),
    );
  config
    .command('diff')
    .description('say who gains and who loses what when one configuration takes the place of another')
    .argument('<old>', 'the configuration in force')
    .argument('<new>', 'the configuration that follows it')
    .option('--json', 'print JSON', false)
    .addHelpText('after', diffHelp)
    .action((old: string, next: string, { json }: { json: boolean }) =>
      exit(diffConfigurations({ old, next }, json, terminal)),
    );
}

const diffHelp = `
Decides with the engine of the running sidecar what callers of both files may do where statements differ.
"data/*" stands for an object that no narrower pattern of the two files names. What depends on the request
is said with its conditions, "when ...", and nothing is claimed about whether they hold.
Exit code: 0 when the files are the same in all of this, 1 when they differ, 2 when one of them is invalid.

Examples:
  sts-sidecar config diff sidecar.yaml next.yaml
  git show HEAD:sidecar.yaml > old.yaml; sts-sidecar config diff old.yaml sidecar.yaml --json`;
