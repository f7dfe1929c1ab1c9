import type { ConfigurationInputs } from '../config/inputs.ts';

const checkEveryMs = 2_000;
/** Each attempt may collect garbage, which is a pause for all requests. */
const looksBetweenAttempts = 5;
/** Reset connections have closed by then, and their callers have not yet sent as much again. */
const soonMs = 10;
const attemptsSoon = 8;

/** Where a reload comes from. */
export interface ConfigurationReloads {
  /** The files that were read when the program started. */
  readonly inputs: ConfigurationInputs;
  /**
   * Reads everything again, given the files that were read last, and returns the files that were read. `'none'` when there is no room
   * for them, `'soon'` when there may be some in a moment. Must not throw.
   */
  readonly reload: (
    trigger: ReloadTrigger,
    current: ConfigurationInputs,
  ) => ConfigurationInputs | Exclude<ReloadRoom, 'free'>;
}

/**
 * What a reload finds: room for it; none yet, but requests have just been reset, so that there may be some in a moment; or none.
 */
export type ReloadRoom = 'free' | 'soon' | 'none';

/** Why the configuration is read again. */
export type ReloadTrigger = 'signal' | 'file';

/**
 * Reloads at SIGHUP, and when a file of the configuration has changed. Files are looked at every two seconds instead of watched: a
 * ConfigMap is swapped by symbolic links, and some file systems report no changes. Only files that two looks have found alike are
 * read: the first half of a directory can be valid, without the Deny that stands in the second.
 */
export function watchConfiguration({ inputs, reload }: ConfigurationReloads): void {
  let current = inputs;
  let isChecking = false;
  let seen: string | undefined;
  /** A reload that must wait, and the looks that are left until it is tried again. */
  let due: { readonly trigger: ReloadTrigger; readonly looks: number } | undefined;
  const attempt = (trigger: ReloadTrigger, left = attemptsSoon): void => {
    const read = reload(trigger, current);
    due = typeof read === 'string' ? { trigger, looks: looksBetweenAttempts } : undefined;
    if (typeof read !== 'string') current = read;
    else if (read === 'soon' && left > 0)
      setTimeout(() => void attemptSoon(trigger, left - 1), soonMs).unref();
  };
  const attemptSoon = async (trigger: ReloadTrigger, left: number): Promise<void> => {
    const changes = trigger === 'signal' ? undefined : await current.changes();
    // Files that have changed meanwhile must be found alike twice.
    if (due !== undefined && (trigger === 'signal' || changes === seen)) attempt(trigger, left);
  };
  const tryAgain = (trigger: ReloadTrigger): void => {
    due = undefined;
    // Files that have changed meanwhile must be found alike twice.
    if (trigger === 'signal') attempt(trigger);
    else seen = undefined;
  };
  const check = async (): Promise<void> => {
    const checked = current;
    const before = seen;
    seen = await checked.changes();
    if (due === undefined && seen !== undefined && seen === before && checked === current) attempt('file');
  };
  setInterval(() => {
    if (isChecking) return;
    if (due !== undefined) {
      due = { ...due, looks: due.looks - 1 };
      if (due.looks <= 0) tryAgain(due.trigger);
    }
    isChecking = true;
    void check().finally(() => {
      isChecking = false;
    });
  }, checkEveryMs).unref();
  process.on('SIGHUP', () => {
    attempt('signal');
  });
}
