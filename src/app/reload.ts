import type { LoadResult } from '../config/load.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import type { Steps } from '../core/steps.ts';
import type { Log } from '../observe/log.ts';
import { type Configuration, type ConfigurationTools, createConfiguration } from './configuration.ts';
import { adoptionFault, adoptSettings } from './fixed-settings.ts';
import { fingerprintRecords } from './records-fingerprint.ts';

/** What became of an attempt to reload. */
export type Reloaded =
  | {
      readonly outcome: 'success';
      /** The one before when no section has changed. */
      readonly configuration: Configuration;
      /** Sections of the file that differ from the configuration before, and are in force now. */
      readonly changed: readonly string[];
      /** Settings that differ, and take effect after a restart. */
      readonly needRestart: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly outcome: 'failure'; readonly problems: readonly string[] };

/** Builds the configuration that follows another one, in steps. Never throws. */
export function* reloadedConfiguration(
  loaded: LoadResult,
  current: Configuration,
  tools: ConfigurationTools,
): Steps<Reloaded> {
  if (!loaded.ok) return { outcome: 'failure', problems: loaded.problems };
  const { warnings } = loaded;
  try {
    const fault = adoptionFault(current.settings, loaded.settings);
    if (fault !== undefined) return { outcome: 'failure', problems: [fault] };
    const { settings, needRestart } = adoptSettings(current.settings, loaded.settings);
    const fingerprint = yield* fingerprintRecords(loaded.directory);
    const changed = changedSections(current, { settings, fingerprint });
    // Requests hold a few earlier configurations at most, so one that is the same must not count as another.
    const configuration =
      changed.length === 0
        ? current
        : yield* createConfiguration({ ...loaded, settings, fingerprint }, tools, current);
    return { outcome: 'success', configuration, changed, needRestart, warnings };
  } catch (error) {
    return { outcome: 'failure', problems: [String(error)] };
  }
}

type Fingerprinted = Pick<Configuration, 'settings' | 'fingerprint'>;

function changedSections(before: Fingerprinted, after: Fingerprinted): readonly string[] {
  const earlier = fingerprintsOf(before);
  return [...fingerprintsOf(after)]
    .filter(([name, fingerprint]) => earlier.get(name) !== fingerprint)
    .map(([name]) => name);
}

function fingerprintsOf({ settings, fingerprint: records }: Fingerprinted): ReadonlyMap<string, string> {
  const { identityProviders, ...sections } = settings;
  const all = { ...sections, directory: { records, identityProviders } };
  // A parsed policy has tests of its conditions beside their text.
  return new Map(Object.entries(all).map(([name, value]) => [name, fingerprintOf(value, 'derived')]));
}

/** A file can have thousands of problems, and `config check` lists them all. */
const maxLines = 20;

/** Logs the outcome of a reload: on failure, and for warnings, one line each. */
export function reportReload(reloaded: Reloaded, trigger: 'signal' | 'file', log: Log): void {
  if (reloaded.outcome === 'failure') {
    const { problems } = reloaded;
    log.error('config', 'configuration not reloaded', { trigger, problems: problems.length });
    for (const problem of problems.slice(0, maxLines)) log.error('config', 'problem', { problem });
    return;
  }
  const { changed, needRestart, warnings } = reloaded;
  log.info('config', 'configuration reloaded', { trigger, changed });
  if (needRestart.length > 0)
    log.warn('config', 'settings take effect after a restart', { settings: needRestart });
  for (const warning of warnings.slice(0, maxLines)) log.warn('config', 'warning', { warning });
}
