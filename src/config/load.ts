/*
 * This folder reads and checks the configuration.
 * In: a YAML file, the files and environment variables that it names, and command-line flags.
 * Out: `Settings`, `DirectoryRecords` and warnings; or every problem at once, each with its line and column.
 * It never opens a connection, and no message shows a secret.
 * It never returns settings when a value failed a check.
 */

import { dirname } from 'node:path';
import { type Steps, takeAll } from '../core/steps.ts';
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
import { type ConfigurationSources, type FileReader, type Overrides, processSources } from './sources.ts';
import { parseYaml, type YamlResult } from './yaml-document.ts';

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

/** How the configuration is loaded. */
export interface LoadOptions {
  /** What policies are compared with. With it, the variables of OpenTelemetry are read. */
  readonly vocabulary?: PolicyVocabulary;
  /** True to read the variables of OpenTelemetry also without a vocabulary: policies have been compared before. */
  readonly hasTelemetry?: boolean;
  /** Where files are read; each one from the disk when absent. */
  readonly files?: FileReader & Pick<ConfigurationInputs, 'characters'>;
  /** The heap of the thread that answers requests; that of this thread when absent. */
  readonly heapBytes?: number;
}

/**
 * Loads the configuration file, with files it names relative to its folder. Reads and checks all of it in one turn of the event
 * loop. Policies are compared with a vocabulary, and the variables of OpenTelemetry are read, where the caller runs the program or checks
 * whether it would run.
 */
export function loadConfiguration(path: string, overrides: Overrides, options: LoadOptions = {}): LoadResult {
  return takeAll(loadInSteps(path, overrides, options));
}

/** The same as {@link loadConfiguration}, record by record once the files are read. */
export function* loadInSteps(
  path: string,
  overrides: Overrides,
  {
    vocabulary,
    hasTelemetry = vocabulary !== undefined,
    files = new ConfigurationInputs(),
    heapBytes,
  }: LoadOptions,
): Steps<LoadResult> {
  const file = files.readDocument(path, maxConfigurationBytes);
  if (!file.ok) return { ok: false, problems: [`${path} ${file.reason}`] };
  const sources = processSources(dirname(path), overrides, files, heapBytes);
  const loaded = yield* readDocument(file.yaml, path, {
    ...sources,
    ...(vocabulary === undefined ? {} : { vocabulary }),
    ...(hasTelemetry ? { telemetry: sources.environment } : {}),
  });
  return loaded.ok ? { ...loaded, characters: files.characters() } : loaded;
}

/** Reads a configuration from its text; everything outside the text comes from `sources`. */
export function parseConfiguration(
  text: string,
  fileName: string,
  sources: ConfigurationSources,
): LoadResult {
  const loaded = takeAll(readDocument(parseYaml(text), fileName, sources));
  return loaded.ok ? { ...loaded, characters: text.length } : loaded;
}

type Loaded =
  | Exclude<LoadResult, { readonly ok: true }>
  | Omit<LoadResult & { readonly ok: true }, 'characters'>;

function* readDocument(
  { document, faults }: YamlResult,
  fileName: string,
  sources: ConfigurationSources,
): Steps<Loaded> {
  const context: ReadingContext = {
    problems: new ProblemLog(),
    warnings: new ProblemLog('warning: '),
    sources,
  };
  for (const { position, message } of faults) {
    context.problems.add({ source: fileName, position, path: '' }, message);
  }
  if (document === undefined) return { ok: false, problems: context.problems.list() };
  const overridden = overrideValues(document.value, sources);
  return yield* readAll(new Reading({ name: fileName, document, ...overridden, mount: [] }, context));
}

function* readAll(reading: Reading): Steps<Loaded> {
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
  const section = yield* readDirectory(reading, { account, outbound });
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
  return { ok: true, settings, directory, warnings: warnings.list() };
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
