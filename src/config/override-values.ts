import { isMapping } from '../core/mapping.ts';
import type { ConfigurationSources } from './sources.ts';

/** A configuration value with flags and environment variables put in. */
export interface OverriddenValue {
  readonly value: unknown;
  /** The flag or variable that a setting came from, by the setting's path. */
  readonly origins: ReadonlyMap<string, string>;
}

/** Settings that flags and environment variables can replace. */
export const overrides = [
  { setting: 'server.listen', flag: '--listen', variable: 'STS_SIDECAR_LISTEN', option: 'listen' },
  { setting: 'backend.endpoint', flag: '--backend', variable: 'STS_SIDECAR_BACKEND', option: 'backend' },
  { setting: 'log.level', flag: '--log-level', variable: 'STS_SIDECAR_LOG_LEVEL', option: 'logLevel' },
] as const;

/** Replaces settings by their flag, else by their environment variable. An empty variable counts as unset. */
export function overrideValues(value: unknown, sources: ConfigurationSources): OverriddenValue {
  const origins = new Map<string, string>();
  let result = value;
  for (const { setting, flag, variable, option } of overrides) {
    const flagValue = sources.overrides?.[option];
    const text = flagValue ?? (sources.environment(variable) || undefined);
    if (text === undefined) continue;
    const replaced = replaceValue(result, setting, text);
    if (replaced === undefined) continue;
    result = replaced;
    origins.set(setting, flagValue === undefined ? variable : flag);
  }
  return { value: result, origins };
}

/** `undefined` where the file does not hold mappings: reading it reports that. */
function replaceValue(value: unknown, setting: string, text: string): unknown {
  const [section = '', key = ''] = setting.split('.');
  if (!isMapping(value)) return undefined;
  const old = value[section] ?? {};
  return isMapping(old) ? { ...value, [section]: { ...old, [key]: text } } : undefined;
}
