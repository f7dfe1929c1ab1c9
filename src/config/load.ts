import { dirname } from 'node:path';
import { z } from 'zod';
import type { DirectoryRecords } from '../directory/records.ts';
import { checkAddresses } from './cross-checks.ts';
import { overrideValues } from './override-values.ts';
import { ProblemLog } from './problem-log.ts';
import { readAccount } from './read-account.ts';
import { readAuthorization } from './read-authorization.ts';
import { readBackend } from './read-backend.ts';
import { readDirectory } from './read-directory.ts';
import { readLog } from './read-log.ts';
import { readOutbound } from './read-outbound.ts';
import { readAdmin, readServer } from './read-server.ts';
import { readTokens } from './read-tokens.ts';
import { Reading, type ReadingContext } from './reading.ts';
import { maxConfigurationBytes } from './scalars.ts';
import type { Settings } from './settings.ts';
import { type ConfigurationSources, type Overrides, processSources, readBoundedText } from './sources.ts';
import { parseYaml } from './yaml-document.ts';

export type { ConfigurationSources, Overrides } from './sources.ts';

/**
 * A configuration, or everything that is wrong with it. Problems and warnings are lines for people,
 * `file:line:column path: message`, and hold no secret.
 */
export type LoadResult =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly directory: DirectoryRecords;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

const root = z.strictObject({
  apiVersion: z.enum(['sts-sidecar/v1']),
  server: z.unknown().optional(),
  admin: z.unknown().optional(),
  backend: z.unknown().optional(),
  account: z.unknown().optional(),
  authorization: z.unknown().optional(),
  tokens: z.unknown().optional(),
  outbound: z.unknown().optional(),
  log: z.unknown().optional(),
  directory: z.unknown().optional(),
  directoryFile: z.string().min(1, { error: 'must be the path of a file' }).optional(),
});

/** Loads the configuration file, with files it names relative to its folder. Reads synchronously: for start-up only. */
export function loadConfiguration(path: string, overrides: Overrides): LoadResult {
  const file = readBoundedText(path, maxConfigurationBytes);
  if (!file.ok) return { ok: false, problems: [`${path} ${file.reason}`] };
  return parseConfiguration(file.text, path, processSources(dirname(path), overrides));
}

/** Reads a configuration from its text; everything outside the text comes from `sources`. */
export function parseConfiguration(
  text: string,
  fileName: string,
  sources: ConfigurationSources,
): LoadResult {
  const context: ReadingContext = { problems: new ProblemLog(), warnings: new ProblemLog(), sources };
  const { document, faults } = parseYaml(text);
  for (const { position, message } of faults) {
    context.problems.add({ source: fileName, position, path: '' }, message);
  }
  if (document === undefined) return { ok: false, problems: context.problems.list() };
  const overridden = overrideValues(document.value, sources);
  return readAll(new Reading({ name: fileName, document, ...overridden, mount: [] }, context));
}

function readAll(reading: Reading): LoadResult {
  reading.read([], root);
  const { problems, warnings } = reading.context;
  // Without a mapping there is nothing to read, and every part would be reported as missing.
  if (reading.keysAt([]).length === 0) return { ok: false, problems: problems.list() };
  const server = readServer(reading);
  const admin = readAdmin(reading);
  const backend = readBackend(reading);
  const account = readAccount(reading);
  const tokens = readTokens(reading);
  const authorization = readAuthorization(reading);
  const outbound = readOutbound(reading);
  const log = readLog(reading);
  const directory = readDirectory(reading, { account, outbound });
  checkAddresses(reading, { server, admin, backend });
  if (
    !problems.isEmpty ||
    !server ||
    !admin ||
    !backend ||
    !account ||
    !tokens ||
    !authorization ||
    !outbound ||
    !log ||
    !directory
  ) {
    return { ok: false, problems: problems.list() };
  }
  const { identityProviders, ...records } = directory;
  const settings: Settings = {
    server,
    admin,
    backend,
    account,
    tokens,
    authorization,
    outbound,
    log,
    identityProviders,
  };
  const { id, partition } = account;
  return {
    ok: true,
    settings,
    directory: { account: { id, partition }, ...records },
    warnings: warnings.list(),
  };
}
