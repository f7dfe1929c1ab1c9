import { isMapping } from './mapping.ts';
import type { ConfigurationSources, Overrides } from './sources.ts';

/** A configuration value with flags and environment variables put in. */
export interface OverriddenValue {
  readonly value: unknown;
  /** The flag or variable that a setting came from, by the setting's path. */
  readonly origins: ReadonlyMap<string, string>;
}

interface Override {
  readonly section: string;
  readonly key: string;
  readonly flag: string;
  readonly variable: string;
  readonly read: (given: Overrides) => string | undefined;
}

/** Settings that flags and environment variables can replace. */
export const overrides: readonly Override[] = [
  {
    section: 'server',
    key: 'listen',
    flag: '--listen',
    variable: 'STS_SIDECAR_LISTEN',
    read: ({ listen }) => listen,
  },
  {
    section: 'backend',
    key: 'endpoint',
    flag: '--backend',
    variable: 'STS_SIDECAR_BACKEND',
    read: ({ backend }) => backend,
  },
  {
    section: 'log',
    key: 'level',
    flag: '--log-level',
    variable: 'STS_SIDECAR_LOG_LEVEL',
    read: ({ logLevel }) => logLevel,
  },
];

/** Replaces settings by their flag, else by their environment variable. An empty variable counts as unset. */
export function overrideValues(value: unknown, sources: ConfigurationSources): OverriddenValue {
  const origins = new Map<string, string>();
  let result = value;
  for (const { section, key, flag, variable, read } of overrides) {
    const flagValue = read(sources.overrides ?? {});
    const text = flagValue ?? (sources.environment(variable) || undefined);
    if (text === undefined) continue;
    const replaced = replaceValue(result, section, key, text);
    if (replaced === undefined) continue;
    result = replaced;
    origins.set(`${section}.${key}`, flagValue === undefined ? variable : flag);
  }
  return { value: result, origins };
}

/** `undefined` where the file does not hold mappings: reading it reports that. */
function replaceValue(value: unknown, section: string, key: string, text: string): unknown {
  if (!isMapping(value)) return undefined;
  const old = value[section] ?? {};
  return isMapping(old) ? { ...value, [section]: { ...old, [key]: text } } : undefined;
}
