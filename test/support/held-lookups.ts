import dns, { type LookupAddress } from 'node:dns';

/** The system's resolver, of which libuv has two threads. A thread is occupied until its look-up has ended. */
export interface HeldLookups {
  /** Names that occupy a thread, in the order in which they were asked. */
  readonly running: readonly string[];
  /** Every look-up that has begun. */
  readonly begun: readonly string[];
  /** Ends the look-up of a name with these addresses, or without an answer. */
  release(name: string, addresses?: readonly string[]): void;
}

/** A name whose servers say nothing until the look-up is released. */
export const silentName = (label: string): string => `${label}.silent.test`;

/** A name that resolves to this machine at once, when there is a thread for it. */
export const promptName = 'prompt.test';

const threads = 2;

/** Runs with a resolver that knows {@link promptName} and silent names, and no others. */
export async function withHeldLookups(run: (lookups: HeldLookups) => Promise<void>): Promise<void> {
  const { lookup } = dns;
  const queue: { name: string; end: (addresses: readonly string[]) => void }[] = [];
  const running: typeof queue = [];
  const begun: string[] = [];
  const startNext = (): void => {
    const next = running.length < threads ? queue.shift() : undefined;
    if (next === undefined) return;
    running.push(next);
    begun.push(next.name);
    if (next.name === promptName) setImmediate(() => release(promptName, ['127.0.0.1']));
    startNext();
  };
  const release = (name: string, addresses: readonly string[] = []): void => {
    const index = running.findIndex((one) => one.name === name);
    const [one] = index < 0 ? [] : running.splice(index, 1);
    if (one === undefined) throw new Error(`${name} is not being looked up`);
    one.end(addresses);
    startNext();
  };
  const held = (
    name: string,
    options: { readonly all?: boolean },
    callback: (...found: unknown[]) => void,
  ): void => {
    const end = (addresses: readonly string[]): void => {
      const found: LookupAddress[] = addresses.map((address) => ({ address, family: 4 }));
      if (found[0] === undefined) callback(Object.assign(new Error('EAI_AGAIN'), { code: 'EAI_AGAIN' }));
      else if (options.all === true) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    };
    queue.push({ name, end });
    startNext();
  };
  Object.assign(dns, { lookup: held });
  try {
    await run({
      get running() {
        return running.map(({ name }) => name);
      },
      begun,
      release,
    });
  } finally {
    Object.assign(dns, { lookup });
  }
}
