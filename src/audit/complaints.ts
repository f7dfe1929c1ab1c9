import type { SinkName } from './destination.ts';

/** What sinks report. */
export interface SinkReporter {
  delivered(sink: SinkName, count: number): void;
  /** Records that are lost. */
  dropped(sink: SinkName, count: number, cause: string): void;
  /** An attempt that failed. The records are kept. */
  failed(sink: SinkName, cause: string): void;
}

/** Where reports go: one metric, and the log. */
export interface ReportsTo {
  count(sink: SinkName, outcome: 'delivered' | 'dropped', count: number): void;
  warn(message: string, facts: Readonly<Record<string, unknown>>): void;
}

const betweenLinesMs = 1_000;

interface Complaint {
  dropped: number;
  cause: string;
}

/** Counts every record, and logs trouble: at most one line a second for each sink, which stands for all since the one before. */
export class Complaints implements SinkReporter {
  readonly #to: ReportsTo;
  /** Trouble since the last line, of each sink that had a line within the last second. */
  readonly #recent = new Map<SinkName, Complaint | undefined>();

  constructor(to: ReportsTo) {
    this.#to = to;
  }

  delivered(sink: SinkName, count: number): void {
    this.#to.count(sink, 'delivered', count);
  }

  dropped(sink: SinkName, count: number, cause: string): void {
    this.#to.count(sink, 'dropped', count);
    this.#complain(sink, { dropped: count, cause });
  }

  failed(sink: SinkName, cause: string): void {
    this.#complain(sink, { dropped: 0, cause });
  }

  /** Logs what has not been logged yet, before the program ends. */
  flush(): void {
    for (const [sink, complaint] of this.#recent) if (complaint !== undefined) this.#log(sink, complaint);
    this.#recent.clear();
  }

  #complain(sink: SinkName, complaint: Complaint): void {
    if (!this.#recent.has(sink)) {
      this.#log(sink, complaint);
      this.#recent.set(sink, undefined);
      setTimeout(() => this.#continue(sink), betweenLinesMs).unref();
      return;
    }
    const before = this.#recent.get(sink);
    this.#recent.set(sink, { dropped: (before?.dropped ?? 0) + complaint.dropped, cause: complaint.cause });
  }

  #continue(sink: SinkName): void {
    const complaint = this.#recent.get(sink);
    this.#recent.delete(sink);
    if (complaint !== undefined) this.#complain(sink, complaint);
  }

  #log(sink: SinkName, { dropped, cause }: Complaint): void {
    const message = dropped === 0 ? 'audit records cannot be delivered yet' : 'audit records are lost';
    this.#to.warn(message, { sink, lost: dropped, cause });
  }
}
