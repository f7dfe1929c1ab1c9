import type { Command } from 'commander';
import { configurationPath } from '../config/sources.ts';
import { type ExplainOptions, explainMessage } from './explain.ts';
import { readInput, type Terminal } from './terminal.ts';

const help = `
Prints the decision, the statement that denied or came closest, and the context keys of the request.
Exit code: 0 for a message that a key of this configuration sealed, whatever its age; 1 for any other text; 2 for a configuration
that is wrong.

Examples:
  sts-sidecar explain --config sidecar.yaml "$MESSAGE"
  aws --endpoint-url http://127.0.0.1:9000 s3 ls s3://reports/red/ 2>&1 | sts-sidecar explain --config sidecar.yaml -
  sts-sidecar explain --config sidecar.yaml --json - < error.xml | jq .denial.nearMiss`;

/** Adds `explain`. */
export function addExplain(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const command: Command = program
    .command('explain')
    .description('say why a request was denied, from the sealed message in its error')
    .option('--config <file>', 'the configuration file with the key ring (or STS_SIDECAR_CONFIG)')
    .option('--json', 'print the document that DecodeAuthorizationMessage answers', false)
    .argument('<message>', 'the sealed message, or the whole error that holds it; - reads standard input')
    .addHelpText('after', help)
    .action(async (given: string, { config, json }: ExplainOptions & { readonly config?: string }) => {
      const path = configurationPath(config);
      if (path === undefined) command.error('explain needs --config or STS_SIDECAR_CONFIG');
      exit(explainMessage(path, given === '-' ? await readInput() : given, { json }, terminal));
    });
}
