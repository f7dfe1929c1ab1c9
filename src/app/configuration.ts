import type { Settings } from '../config/settings.ts';
import type { Steps } from '../core/steps.ts';
import { buildInSteps, type Directory } from '../directory/directory.ts';
import type { DirectoryRecords } from '../directory/records.ts';
import type { Snapshot } from '../edge/answer-request.ts';
import type { ConfiguredProviders } from '../identity/configured-providers.ts';
import type { ProviderTools } from '../identity/kind.ts';
import { createProviders, type IdentityKinds } from '../identity/kinds.ts';
import { RevocationIndex } from '../revocation/revocation-index.ts';
import { RevocationNames } from '../revocation/revocation-names.ts';
import { fingerprintRecords } from './records-fingerprint.ts';
import { createSnapshot, type SnapshotParts } from './snapshot.ts';

/** What one version of the configuration file becomes. A reload replaces all of it at once. */
export interface Configuration {
  readonly settings: Settings;
  readonly records: DirectoryRecords;
  readonly directory: Directory;
  readonly revocationNames: RevocationNames;
  readonly identityProviders: ConfiguredProviders;
  readonly revocations: RevocationIndex;
  readonly snapshot: Snapshot;
  /** Identifies the policies in audit records: the same for the same directory. Empty while audit is off. */
  readonly policyRevision: string;
  /** Of the records. */
  readonly fingerprint: string;
  /** Called once another version is in force. */
  readonly retire: () => void;
  /** Empties its caches. */
  readonly forget: () => void;
}

/** What a version of the configuration is built from. */
export interface ConfigurationParts {
  readonly settings: Settings;
  readonly directory: DirectoryRecords;
  /** Of the files that it was read from. */
  readonly characters: number;
  /** Of the records, where it is known. */
  readonly fingerprint?: string;
}

/** What every version of the configuration has in common. */
export interface ConfigurationTools {
  readonly shared: Omit<SnapshotParts, 'directory' | 'identityProviders'>;
  readonly providers: Omit<ProviderTools, 'account'>;
  readonly identityKinds: IdentityKinds | undefined;
}

/**
 * Builds a version of the configuration, in steps.
 * @param previous its providers with the same settings are kept, with the keys that they have fetched
 * @throws for settings or records that were not checked
 */
export function* createConfiguration(
  { settings, directory: records, characters, fingerprint: known }: ConfigurationParts,
  { shared, providers, identityKinds }: ConfigurationTools,
  previous?: Configuration,
): Steps<Configuration> {
  const directory = yield* buildInSteps(records);
  const fingerprint = known ?? (yield* fingerprintRecords(records));
  const revocationNames = new RevocationNames(records);
  yield;
  const identityProviders = createProviders(
    settings.identityProviders,
    { ...providers, account: settings.account },
    { kinds: identityKinds, previous: previous?.identityProviders },
  );
  const revocations = revocationsOf(settings, revocationNames);
  const created = createSnapshot(settings, { ...shared, directory, identityProviders, characters });
  const policyRevision = isAudited(settings) ? fingerprint.slice(0, 16) : '';
  const parts = { directory, revocationNames, identityProviders, revocations, policyRevision, fingerprint };
  return { settings, records, ...parts, ...created };
}

function isAudited({ audit: { stdout, file, webhook, otlp } }: Settings): boolean {
  return stdout || file !== undefined || webhook !== undefined || otlp !== undefined;
}

function revocationsOf({ revocations: records }: Settings, names: RevocationNames): RevocationIndex {
  return new RevocationIndex(
    records.map((record) => {
      const resolved = names.resolve(record);
      // INVARIANT: the configuration was checked. Leaving one out would let revoked sessions in.
      if ('message' in resolved) throw new Error(`revocations: ${resolved.message}`);
      return resolved;
    }),
  );
}
