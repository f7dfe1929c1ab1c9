import type { ConfigurationInputs } from '../config/inputs.ts';

const checkEveryMs = 2_000;

/** Where a reload comes from. */
export interface ConfigurationReloads {
  /** The files that were read when the program started. */
  readonly inputs: ConfigurationInputs;
  /** Reads everything again, and returns the files that were read. Must not throw. */
  readonly reload: (trigger: 'signal' | 'file') => ConfigurationInputs;
}

/**
 * Reloads at SIGHUP, and when a file of the configuration has changed. Files are looked at every two seconds instead of watched: a
 * ConfigMap is swapped by symbolic links, and some file systems report no changes. Only files that two looks have found alike are
 * read: the first half of a directory can be valid, without the Deny that stands in the second.
 */
export function watchConfiguration({ inputs, reload }: ConfigurationReloads): void {
  let current = inputs;
  let isChecking = false;
  let seen: string | undefined;
  const check = async (): Promise<void> => {
    const checked = current;
    const before = seen;
    seen = await checked.changes();
    if (seen !== undefined && seen === before && checked === current) current = reload('file');
  };
  setInterval(() => {
    if (isChecking) return;
    isChecking = true;
    void check().finally(() => {
      isChecking = false;
    });
  }, checkEveryMs).unref();
  process.on('SIGHUP', () => {
    current = reload('signal');
  });
}
