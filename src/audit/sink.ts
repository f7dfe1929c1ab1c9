import type { SinkReporter } from './complaints.ts';
import { type Destination, SinkError, type SinkName } from './destination.ts';
import { Doubt } from './doubt.ts';
import { type Line, RecordQueue, type Room } from './record-queue.ts';

/** What a sink works with. */
export interface SinkParts {
  readonly destination: Destination;
  /** Most bytes of records that wait. */
  readonly maxQueuedBytes: number;
  readonly reporter: SinkReporter;
  /** A number from 0 to 1, so that many replicas do not try again at the same time. */
  readonly jitter: () => number;
}

/** How one sink is. */
export interface SinkState {
  readonly name: SinkName;
  /** True while records wait because the last attempt to deliver them has failed. */
  readonly isFailing: boolean;
}

const localRetryMs = 1_000;
const firstRetryMs = 250;
const longestRetryMs = 30_000;

/** While the program stops there is little time. */
const retryAtTheEndMs = 250;

/** Keeps records in a bounded queue, and delivers them one batch after the other until they are accepted. */
export class Sink {
  readonly #parts: SinkParts;
  readonly #queue: RecordQueue;
  readonly #doubt = new Doubt();
  /** How much is delivered at a time: less than a whole batch while it is at fault for a failure. */
  #most: Destination['batch'];
  /** Set while records are being delivered. */
  #pumping: Promise<void> | undefined;
  /** Attempts that have failed in a row. */
  #failures = 0;
  /** Ends the pause between two attempts. */
  #wake: (() => void) | undefined;
  /** True while the pause is for a line that waits aside. */
  #isRestingAside = false;
  #isStopping = false;
  /** Set at the end: what is still in the queue is given up. */
  #isGivenUp = false;

  constructor(parts: SinkParts) {
    this.#parts = parts;
    this.#queue = new RecordQueue(parts.maxQueuedBytes);
    this.#most = parts.destination.batch;
  }

  /** The destination's name, and whether it has refused or not reached what was last sent to it. */
  get state(): SinkState {
    return { name: this.#parts.destination.name, isFailing: this.#failures > 0 };
  }

  /** @throws SinkError */
  open(): Promise<void> {
    return this.#parts.destination.open();
  }

  /** Reserves that many bytes more for a holder, or gives back; false when a record could not be kept. */
  reserve(holder: string, bytes: number): boolean {
    const isFull = this.#parts.destination.isLocal && this.#failures > 0;
    if (bytes > 0 && isFull) return false;
    return this.#queue.reserve(holder, bytes);
  }

  /**
   * Takes a line, or counts it as dropped.
   * @param reserved bytes that its holder has reserved for it
   */
  add(line: Line, reserved: number): void {
    if (!this.#queue.add(line, reserved)) {
      this.#drop(1, 'its holder has no room left in the queue', line.holder);
      return;
    }
    if (this.#isRestingAside && this.#queue.inOrder > 0) this.#wake?.();
    // Lines of one turn of the event loop are delivered together.
    this.#pumping ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#pump());
  }

  /** Counts a record that could not be written, and gives back what was reserved for it. */
  lose({ holder, bytes }: Room, cause: string): void {
    this.#queue.reserve(holder, -bytes);
    this.#drop(1, cause, holder);
  }

  /** Delivers what is left, until the deadline, and closes. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    this.#wake?.();
    await within(deadlineMs, this.#pumping);
    this.#isGivenUp = true;
    this.#wake?.();
    // A write that hangs would hold it up without end.
    await within(deadlineMs, this.#parts.destination.close());
    if (this.#queue.length > 0) this.#drop(this.#queue.length, 'the program stopped');
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0 && !this.#isGivenUp) {
      const hasDelivered = this.#queue.inOrder > 0 && (await this.#deliverInOrder());
      if (hasDelivered || this.#queue.inOrder === 0) await this.#deliverAside(hasDelivered);
    }
    this.#pumping = undefined;
  }

  /** Delivers a batch; false when it was not accepted. */
  async #deliverInOrder(): Promise<boolean> {
    const { place } = this.#doubt;
    const lines = this.#queue.from(place, this.#most);
    const fault = await this.#deliver(lines);
    if (fault === undefined) {
      this.#queue.remove(place, lines.length);
      this.#doubt.accepted(lines.length);
      this.#allow(2 * this.#most.lines, place);
    } else if (this.#isGivenUp) return false;
    else if (fault.isFinal) this.#refused(lines.length, fault.message);
    else await this.#failed(lines.length, fault);
    return fault === undefined;
  }

  /**
   * Delivers the first line that waits aside, if there is one.
   * @param isProven the collector has just accepted others, so a failure is that of the record
   */
  async #deliverAside(isProven: boolean): Promise<void> {
    const line = this.#queue.firstAside;
    if (line === undefined || this.#isGivenUp) return;
    const fault = await this.#deliver([line.text]);
    if (fault === undefined) this.#queue.removeAside();
    else if (this.#isGivenUp) return;
    else if (fault.isFinal || (isProven && !fault.isBusy)) {
      this.#queue.removeAside();
      this.#drop(1, fault.message, line.holder);
    } else {
      this.#failures += 1;
      this.#parts.reporter.failed(this.#parts.destination.name, fault.message);
      this.#isRestingAside = true;
      await this.#rest();
      this.#isRestingAside = false;
    }
  }

  async #deliver(lines: readonly string[]): Promise<SinkError | undefined> {
    const { destination, reporter } = this.#parts;
    try {
      const accepted = await destination.deliver(lines);
      this.#failures = 0;
      reporter.delivered(destination.name, accepted);
      if (accepted < lines.length)
        this.#drop(lines.length - accepted, 'the receipt says that they are rejected');
      return undefined;
    } catch (error) {
      return error instanceof SinkError ? error : new SinkError('failed', { cause: error });
    }
  }

  /** These records are refused for ever. */
  #refused(count: number, cause: string): void {
    if (count > 1) {
      // One of them is at fault: the others must not be lost with it.
      this.#allow(Math.ceil(count / 2));
      return;
    }
    const { place } = this.#doubt;
    this.#giveUp(cause);
    this.#doubt.left(1);
    this.#allow(this.#parts.destination.batch.lines, place);
  }

  async #failed(count: number, { message: cause, isBusy }: SinkError): Promise<void> {
    const { destination, reporter } = this.#parts;
    this.#failures += 1;
    // The failures of a disk pass, and do not depend on what is written.
    const attempt = { count, waiting: this.#queue.inOrder, failures: this.#failures };
    const next = destination.isLocal || isBusy ? 'again' : this.#doubt.failed(attempt);
    if (next === 'lost') {
      this.#giveUp(`it fails again and again for this record, and takes others: ${cause}`);
      this.#doubt.lost();
      return;
    }
    if (next === 'alone') this.#allow(1);
    reporter.failed(destination.name, cause);
    await this.#rest();
  }

  #giveUp(cause: string): void {
    this.#failures = 0;
    for (const { holder } of this.#queue.remove(this.#doubt.place, 1)) {
      this.#drop(1, cause, holder);
      this.#queue.setAside(holder);
    }
  }

  /** Sets how many lines are delivered at a time. While the first is in doubt, later ones are tried one by one. */
  #allow(lines: number, place = 0): void {
    const { batch } = this.#parts.destination;
    if (place === 0) this.#most = { ...batch, lines: Math.min(lines, batch.lines) };
  }

  #drop(count: number, cause: string, holder?: string): void {
    this.#parts.reporter.dropped(this.#parts.destination.name, { count, cause, holder });
  }

  #rest(): Promise<void> {
    const delayMs = this.#isStopping ? retryAtTheEndMs : this.#delayMs();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #delayMs(): number {
    if (this.#parts.destination.isLocal) return localRetryMs;
    const doubled = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 10));
    return doubled * (0.5 + this.#parts.jitter() / 2);
  }
}

/** Waits for work that never rejects, and no longer. */
async function within(milliseconds: number, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
