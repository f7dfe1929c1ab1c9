import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { loadInjector } from '../config/injector-file.ts';
import { closeServer, listen } from '../edge/shutdown.ts';
import { createInjectorServer } from '../injector/injector-server.ts';
import { serviceAccountReader } from '../injector/service-accounts.ts';
import { Log } from '../observe/log.ts';
import { GuardedFetch } from '../outbound/guarded-fetch.ts';
import { stopSignal } from './serve.ts';
import { exitCodes, type Terminal } from './terminal.ts';

const logSettings = { level: 'info', requests: true, objectKeys: 'full' } as const;
/** Shorter than the API server waits for a webhook. */
const outboundTimeoutSeconds = 4;
const drainMs = 5_000;
/** How long a stopping injector still answers, while the cluster notices that it ends. */
const graceMs = 2_000;

/** Adds the command `injector`. */
export function addInjector(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('injector')
    .description('run the admission webhook that gives pods a projected token and the variables of SDKs')
    .requiredOption('--config <file>', 'the configuration file of the injector; see docs/injector.md')
    .addHelpText('after', '\nExample:\n  sts-sidecar injector --config injector.yaml')
    .action(async ({ config }: { config: string }) => exit(await runInjector(config, terminal)));
}

/** Runs the webhook until a signal ends it. */
async function runInjector(path: string, terminal: Terminal): Promise<number> {
  const loaded = loadInjector(path);
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    return exitCodes.badConfiguration;
  }
  const { settings } = loaded;
  const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: outboundTimeoutSeconds });
  const readServiceAccount = serviceAccountReader(settings.apiServer, fetch);
  const server = createInjectorServer({ settings, readServiceAccount, log: new Log(logSettings) });
  const stopped = stopSignal(['SIGHUP']);
  try {
    const port = await listen(server, settings.listen.host, settings.listen.port);
    terminal.prose(`injector on port ${port}`);
  } catch (error) {
    terminal.prose(`cannot listen: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodes.failure;
  }
  await stopped;
  // The API server keeps some open, and would go on asking this one.
  server.closeIdleConnections();
  await setTimeout(graceMs);
  await closeServer(server, drainMs);
  await fetch.close();
  return exitCodes.ok;
}
