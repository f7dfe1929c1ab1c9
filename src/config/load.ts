/*
 * This folder reads and checks the configuration.
 * In: a YAML file, the files and environment variables that it names, and command-line flags.
 * Out: `Settings`, `DirectoryRecords` and warnings; or every problem at once, each with its line and column.
 * It never opens a connection, and no message shows a secret.
 * It never returns settings when a value failed a check.
 */

import { dirname } from 'node:path';
import type { DirectoryRecords } from '../directory/records.ts';
import { maxConfigurationBytes } from '../schema/scalars.ts';
import { warnOfAnonymousAccess } from './anonymous-access.ts';
import { configurationOutline } from './configuration-file.ts';
import { checkAddresses } from './cross-checks.ts';
import { ConfigurationInputs } from './inputs.ts';
import { overrideValues } from './override-values.ts';
import { warnOfPlainHttp } from './plain-http.ts';
import type { PolicyVocabulary } from './policy-vocabulary.ts';
import { ProblemLog } from './problem-log.ts';
import { identityProviderRecords } from './provider-records.ts';
import { readAudit } from './read-audit.ts';
import { readContainerCredentials } from './read-container-credentials.ts';
import { type DirectorySection, readDirectory } from './read-directory.ts';
import { readRevocations } from './read-revocations.ts';
import {
  readAccount,
  readAdmin,
  readAuthorization,
  readBackend,
  readControl,
  readOutbound,
  readServer,
  readTokens,
  warnOfLimits,
} from './read-sections.ts';
import { readState } from './read-state.ts';
import { readTracing } from './read-tracing.ts';
import { Reading, type ReadingContext } from './reading.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';
import { type ConfigurationSources, type Overrides, processSources } from './sources.ts';
import { parseYaml } from './yaml-document.ts';

export type { ConfigurationSources, Overrides } from './sources.ts';

/**
 * A configuration, or everything that is wrong with it. Problems and warnings are lines for people,
 * `file:line:column path: message` and `file:line:column path: warning: message`, and hold no secret.
 */
export type LoadResult =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly directory: DirectoryRecords;
      /** Of the file, and of those that it names. */
      readonly characters: number;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Loads the configuration file, with files it names relative to its folder. Reads and checks all of it in one turn of the event
 * loop. Policies are compared with a vocabulary, and the variables of OpenTelemetry are read, where the caller runs the program or checks
 * whether it would run.
 * @param inputs remembers every file that was read
 */
export function loadConfiguration(
  path: string,
  overrides: Overrides,
  vocabulary?: PolicyVocabulary,
  inputs: ConfigurationInputs = new ConfigurationInputs(),
): LoadResult {
  const file = inputs.read(path, maxConfigurationBytes);
  if (!file.ok) return { ok: false, problems: [`${path} ${file.reason}`] };
  const sources = processSources(dirname(path), overrides, inputs);
  const loaded = parseConfiguration(
    file.text,
    path,
    vocabulary === undefined ? sources : { ...sources, vocabulary, telemetry: sources.environment },
  );
  return loaded.ok ? { ...loaded, characters: inputs.characters() } : loaded;
}

/** Reads a configuration from its text; everything outside the text comes from `sources`. */
export function parseConfiguration(
  text: string,
  fileName: string,
  sources: ConfigurationSources,
): LoadResult {
  const context: ReadingContext = {
    problems: new ProblemLog(),
    warnings: new ProblemLog('warning: '),
    sources,
  };
  const { document, faults } = parseYaml(text);
  for (const { position, message } of faults) {
    context.problems.add({ source: fileName, position, path: '' }, message);
  }
  if (document === undefined) return { ok: false, problems: context.problems.list() };
  const overridden = overrideValues(document.value, sources);
  const reading = new Reading({ name: fileName, document, ...overridden, mount: [] }, context);
  return readAll(reading, text.length);
}

function readAll(reading: Reading, characters: number): LoadResult {
  reading.read([], configurationOutline);
  const { problems, warnings } = reading.context;
  // Without a mapping there is nothing to read, and every part would be reported as missing.
  if (reading.keysAt([]).length === 0) return { ok: false, problems: problems.list() };
  const server = readServer(reading);
  const admin = readAdmin(reading);
  const control = readControl(reading);
  const containerCredentials = readContainerCredentials(reading);
  const backend = readBackend(reading);
  const account = readAccount(reading);
  const tokens = readTokens(reading);
  const state = readState(reading);
  const authorization = readAuthorization(reading);
  const outbound = readOutbound(reading);
  const audit = readAudit(reading, outbound);
  const log = reading.read(['log'], sections.log);
  const section = readDirectory(reading, { account, outbound });
  const directory = account && section && directoryOf(account, section);
  const revocations = readRevocations(reading, directory);
  const tracing = readTracing(reading.context);
  warnOfLimits(reading, server, audit);
  checkAddresses(reading, { server, admin, control, containerCredentials, backend });
  warnOfAnonymousAccess(reading, { backend, directory });
  warnOfPlainHttp(reading, { server, backend, outbound });
  const parts = {
    server,
    admin,
    control,
    containerCredentials,
    backend,
    account,
    tokens,
    state,
    authorization,
    outbound,
    audit,
    log,
    revocations,
  };
  if (!problems.isEmpty || !isComplete(parts) || !section || !directory) {
    return { ok: false, problems: problems.list() };
  }
  const identityProviders = section.identityProviders.map((provider) => provider.settings);
  const settings = { ...parts, identityProviders, tracing };
  return { ok: true, settings, directory, characters, warnings: warnings.list() };
}

function isComplete<Parts extends object>(
  parts: Parts,
): parts is { [Name in keyof Parts]: Exclude<Parts[Name], undefined> } & Parts {
  return !Object.values(parts).includes(undefined);
}

function directoryOf(
  { id, partition }: Settings['account'],
  { identityProviders, ...records }: DirectorySection,
): DirectoryRecords {
  const account = { id, partition };
  return { account, ...records, identityProviders: identityProviderRecords(identityProviders, account) };
}
