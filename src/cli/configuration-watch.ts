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
   * Reads everything again, and returns the files that were read. `'changed'` when they have changed meanwhile, `'none'` when there is
   * no room for them, `'soon'` when there may be some in a moment. Must not throw. Is not called again before it has ended.
   */
  readonly reload: (attempt: ReloadAttempt) => Promise<ConfigurationInputs | ReloadDelay>;
}

/** One attempt to reload. */
export interface ReloadAttempt {
  readonly trigger: ReloadTrigger;
  /** The files that were read last. */
  readonly current: ConfigurationInputs;
  /** True while these files are as two looks have found them; always true at a signal. */
  readonly isAsSeen: () => Promise<boolean>;
}

type ReloadDelay = Exclude<ReloadRoom, 'free'> | 'changed';

/**
 * What a reload finds: room for it; none yet, but requests have just been reset, so that there may be some in a moment; or none.
 */
export type ReloadRoom = 'free' | 'soon' | 'none';

/** Why the configuration is read again. */
export type ReloadTrigger = 'signal' | 'file';

/**
 * Reloads at SIGHUP, and when a file of the configuration has changed. Files are looked at every two seconds instead of watched: a
 * ConfigMap is swapped by symbolic links, and some file systems report no changes. Only files that two looks have found alike are
 * read: the first half of a directory can be valid, without the Deny that stands in the second. A signal during a reload leads to
 * another one after it.
 */
export function watchConfiguration({ inputs, reload }: ConfigurationReloads): void {
  let current = inputs;
  let isChecking = false;
  let isReloading = false;
  let isSignalled = false;
  let seen: string | undefined;
  /** A reload that must wait, and the looks that are left until it is tried again. */
  let due: { readonly trigger: ReloadTrigger; readonly looks: number } | undefined;
  const attempt = async (trigger: ReloadTrigger, left = attemptsSoon): Promise<void> => {
    if (isReloading) {
      isSignalled ||= trigger === 'signal';
      return;
    }
    isReloading = true;
    due = undefined;
    const [checked, look] = [current, seen];
    const isAsSeen = async (): Promise<boolean> => trigger === 'signal' || (await checked.changes()) === look;
    const read = await reload({ trigger, current, isAsSeen }).finally(() => {
      isReloading = false;
    });
    if (typeof read !== 'string') current = read;
    if (typeof read !== 'string' || read === 'changed') seen = undefined;
    if (isSignalled) {
      isSignalled = false;
      void attempt('signal');
    } else if (typeof read === 'string') delay(read, trigger, left);
  };
  const delay = (why: ReloadDelay, trigger: ReloadTrigger, left: number): void => {
    // Changed files are found by the next looks, which a signal need not wait for.
    if (why !== 'changed') due = { trigger, looks: looksBetweenAttempts };
    else if (trigger === 'signal') due = { trigger, looks: 1 };
    if (why === 'soon' && left > 0) setTimeout(() => void attemptSoon(trigger, left - 1), soonMs).unref();
  };
  const attemptSoon = async (trigger: ReloadTrigger, left: number): Promise<void> => {
    const changes = trigger === 'signal' ? undefined : await current.changes();
    // Files that have changed meanwhile must be found alike twice.
    if (due !== undefined && (trigger === 'signal' || changes === seen)) await attempt(trigger, left);
  };
  const tryAgain = (trigger: ReloadTrigger): void => {
    due = undefined;
    // Files that have changed meanwhile must be found alike twice.
    if (trigger === 'signal') void attempt(trigger);
    else seen = undefined;
  };
  const check = async (): Promise<void> => {
    const checked = current;
    const before = seen;
    seen = await checked.changes();
    if (due === undefined && seen !== undefined && seen === before && checked === current)
      void attempt('file');
  };
  setInterval(() => {
    if (isChecking || isReloading) return;
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
    void attempt('signal');
  });
}
