import type { SinkReporter } from './complaints.ts';
import { type Destination, SinkError, type SinkName } from './destination.ts';
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
  /** Set while records are being delivered. */
  #pumping: Promise<void> | undefined;
  /** Attempts that have failed in a row. */
  #failures = 0;
  /** Ends the pause between two attempts. */
  #wake: (() => void) | undefined;
  #isStopping = false;
  /** Set at the end: what is still in the queue is given up. */
  #isGivenUp = false;

  constructor(parts: SinkParts) {
    this.#parts = parts;
    this.#queue = new RecordQueue(parts.maxQueuedBytes);
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
    const { destination, reporter } = this.#parts;
    let most = destination.batch;
    while (this.#queue.length > 0 && !this.#isGivenUp) {
      const lines = this.#queue.first(most);
      try {
        const accepted = await destination.deliver(lines);
        this.#settle(lines.length);
        reporter.delivered(destination.name, accepted);
        if (accepted < lines.length)
          this.#drop(lines.length - accepted, 'the receipt says that they are rejected');
        most = { ...most, lines: Math.min(2 * most.lines, destination.batch.lines) };
      } catch (error) {
        if (this.#isGivenUp) break;
        const fault = error instanceof SinkError ? error : new SinkError('failed', { cause: error });
        if (fault.isFinal && lines.length === 1) {
          this.#settle(1);
          this.#drop(1, fault.message);
          most = destination.batch;
        } else if (fault.isFinal) {
          // One of them is at fault: the others must not be lost with it.
          most = { ...most, lines: Math.ceil(lines.length / 2) };
        } else {
          this.#failures += 1;
          reporter.failed(destination.name, fault.message);
          await this.#rest();
        }
      }
    }
    this.#pumping = undefined;
  }

  #drop(count: number, cause: string, holder?: string): void {
    this.#parts.reporter.dropped(this.#parts.destination.name, { count, cause, holder });
  }

  #settle(count: number): void {
    this.#failures = 0;
    this.#queue.remove(count);
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
