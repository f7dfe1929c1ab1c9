import type { SourcePosition } from './yaml-document.ts';

/** What a line of the log is about. */
export interface ProblemPlace {
  /** The file, or the flag or environment variable a value came from. */
  readonly source: string;
  /** Absent when the source is no file. */
  readonly position?: SourcePosition;
  /** For example `directory.roles[2].trustPolicy`; may be empty. */
  readonly path: string;
}

interface Entry {
  readonly place: ProblemPlace;
  readonly text: string;
}

/** Collects problems or warnings of all files and lists them in the order of the text. */
export class ProblemLog {
  readonly #label: string;
  readonly #entries: Entry[] = [];

  /** @param label stands before each message, for example `warning: ` */
  constructor(label = '') {
    this.#label = label;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  add(place: ProblemPlace, message: string): void {
    const { source, position, path } = place;
    const where = position === undefined ? source : `${source}:${position.line}:${position.column}`;
    const text = this.#label + message;
    this.#entries.push({ place, text: path === '' ? `${where} ${text}` : `${where} ${path}: ${text}` });
  }

  /** Each problem as `file:line:column path: message`, files in the order of their first problem. */
  list(): string[] {
    const sources = [...new Set(this.#entries.map(({ place }) => place.source))];
    const sorted = this.#entries.toSorted(
      (left, right) =>
        sources.indexOf(left.place.source) - sources.indexOf(right.place.source) ||
        (left.place.position?.line ?? 0) - (right.place.position?.line ?? 0) ||
        (left.place.position?.column ?? 0) - (right.place.position?.column ?? 0),
    );
    return [...new Set(sorted.map(({ text }) => text))];
  }
}
