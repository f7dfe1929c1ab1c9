import type { SinkName } from './destination.ts';

/** What sinks report. */
export interface SinkReporter {
  delivered(sink: SinkName, count: number): void;
  /** Records that are lost. */
  dropped(sink: SinkName, lost: LostRecords): void;
  /** An attempt that failed. The records are kept. */
  failed(sink: SinkName, cause: string): void;
}

/** Records that are lost together. */
export interface LostRecords {
  readonly count: number;
  readonly cause: string;
  /** Whose they are, where one holder alone has lost them. */
  readonly holder: string | undefined;
}

/** Where reports go: one metric, and the log. */
export interface ReportsTo {
  count(sink: SinkName, outcome: 'delivered' | 'dropped', count: number): void;
  warn(message: string, facts: Readonly<Record<string, unknown>>): void;
}

const betweenLinesMs = 1_000;

interface Complaint {
  readonly dropped: number;
  readonly cause: string;
  /** Records that each holder has lost. There are no more holders than users, roles and identity providers. */
  readonly lostBy: Map<string, number>;
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

  dropped(sink: SinkName, { count, cause, holder }: LostRecords): void {
    this.#to.count(sink, 'dropped', count);
    const lostBy = new Map(holder === undefined ? [] : [[holder, count]]);
    this.#complain(sink, { dropped: count, cause, lostBy });
  }

  failed(sink: SinkName, cause: string): void {
    this.#complain(sink, { dropped: 0, cause, lostBy: new Map() });
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
    this.#recent.set(sink, before === undefined ? complaint : together(before, complaint));
  }

  #continue(sink: SinkName): void {
    const complaint = this.#recent.get(sink);
    this.#recent.delete(sink);
    if (complaint !== undefined) this.#complain(sink, complaint);
  }

  #log(sink: SinkName, { dropped, cause, lostBy }: Complaint): void {
    const message = dropped === 0 ? 'audit records cannot be delivered yet' : 'audit records are lost';
    const holder = holderOfMost(lostBy);
    this.#to.warn(message, { sink, lost: dropped, cause, ...(holder === undefined ? {} : { holder }) });
  }
}

function together({ dropped, lostBy }: Complaint, later: Complaint): Complaint {
  for (const [holder, count] of later.lostBy) lostBy.set(holder, (lostBy.get(holder) ?? 0) + count);
  return { dropped: dropped + later.dropped, cause: later.cause, lostBy };
}

function holderOfMost(lostBy: ReadonlyMap<string, number>): string | undefined {
  let most: [holder: string | undefined, count: number] = [undefined, 0];
  for (const one of lostBy) if (one[1] > most[1]) most = one;
  return most[0];
}
