/** Work that waits. */
export interface Piece {
  /** The part of a turn of the event loop that it takes. More than 1 for work that takes several. */
  readonly share: number;
  readonly begin: () => void;
}

/** What waits of one owner. */
interface Waiting {
  /** By session. The one at the front is next. */
  readonly sessions: Map<string, Piece[]>;
  /** When the next piece is due, on a clock that goes on by the share of each piece that is taken. */
  due: number;
}

/** How far ahead of the others, in turns, an owner begins of which nothing has waited for long. */
const credit = 1;

/**
 * Work of many owners, of which the one that has been given least is next: start-time fair queueing. An owner that asks for little
 * waits for hardly more than what has begun, whatever others ask for, and however many they are. The sessions of an owner follow each other in rotation.
 */
export class FairQueue {
  readonly #waiting = new Map<string, Waiting>();
  /** When the last piece that was taken had been due. */
  #time = 0;
  /** When owners are due of which nothing waits, if that is not long ago. */
  readonly #served = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(owner: string, session: string, piece: Piece): void {
    const others = this.#waiting.get(owner);
    const own = others?.sessions.get(session);
    if (own !== undefined) own.push(piece);
    else if (others !== undefined) others.sessions.set(session, [piece]);
    else {
      const due = Math.max(this.#time - credit, this.#served.get(owner) ?? 0);
      this.#waiting.set(owner, { sessions: new Map([[session, [piece]]]), due });
    }
  }

  /** Removes a piece that has not been taken. */
  remove(owner: string, session: string, piece: Piece): void {
    const sessions = this.#waiting.get(owner)?.sessions;
    const own = sessions?.get(session);
    const position = own?.indexOf(piece) ?? -1;
    if (sessions === undefined || own === undefined || position < 0) return;
    own.splice(position, 1);
    if (own.length === 0) sessions.delete(session);
    if (sessions.size === 0) this.#leave(owner);
  }

  /**
   * Takes the next piece if it is no larger than `room`; `undefined` otherwise.
   * @param isResting true for an owner that is passed over
   */
  take(
    room: number,
    isResting: (owner: string) => boolean,
  ): readonly [owner: string, piece: Piece] | undefined {
    const owner = this.#firstDue(isResting);
    const next = owner === undefined ? undefined : this.#waiting.get(owner);
    if (owner === undefined || next === undefined) return undefined;
    const [front] = next.sessions;
    const [session, own] = front ?? ['', []];
    const [piece] = own;
    if (piece === undefined || piece.share > room) return undefined;
    own.shift();
    next.sessions.delete(session);
    if (own.length > 0) next.sessions.set(session, own);
    this.#time = Math.max(this.#time, next.due);
    next.due += piece.share;
    if (next.sessions.size === 0) this.#leave(owner);
    return [owner, piece];
  }

  /** Forgets what owners have been given that no longer counts. */
  forgetServed(): void {
    if (this.isEmpty) {
      this.#served.clear();
      this.#time = 0;
    }
    for (const [owner, due] of this.#served) if (due <= this.#time - credit) this.#served.delete(owner);
  }

  #leave(owner: string): void {
    const due = this.#waiting.get(owner)?.due ?? 0;
    this.#waiting.delete(owner);
    this.#served.set(owner, due);
  }

  #firstDue(isResting: (owner: string) => boolean): string | undefined {
    let first: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [owner, { due }] of this.#waiting) {
      if (due >= least || isResting(owner)) continue;
      first = owner;
      least = due;
    }
    return first;
  }
}
