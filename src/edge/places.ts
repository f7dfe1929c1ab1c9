import { BudgetExhausted, type ByteBudget, type Reservation } from '../core/byte-budget.ts';
import type { LimitReporter } from './limit-reporter.ts';

/** How many requests may be here at once. */
export interface PlaceLimits {
  /** Authenticated requests. */
  readonly maxInFlight: number;
  /** Requests whose signature has not been verified. */
  readonly maxUnauthenticated: number;
}

/** There is no room for the request, or another one needed its place more. */
export class NoPlace extends Error {
  override readonly name = 'NoPlace';
}

/** Who pays for the bytes of requests that have proved nothing. */
const strangers = 'strangers';

/**
 * The places of the requests that are being answered.
 *
 * A request starts as a stranger's and has a place in a small room of its own. Strangers can fill that room, but take
 * nothing from callers who are known: when it is full, the stranger that has waited longest gives way. A verified
 * signature moves the request to the places in flight.
 */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #reporter: LimitReporter;
  readonly #budget: ByteBudget;
  readonly #room = new Set<Place>();
  #inFlight = 0;

  /** @param budget pays for what the requests hold in memory */
  constructor(limits: PlaceLimits, budget: ByteBudget, reporter: LimitReporter) {
    this.#limits = limits;
    this.#budget = budget;
    this.#reporter = reporter;
  }

  /** Requests whose signature has not been verified. */
  get unauthenticated(): number {
    return this.#room.size;
  }

  /** A place for a request that has just arrived. {@link Place.leave} must follow. */
  enter(): Place {
    const place: Place = new Place({
      admit: () => this.#admit(place),
      stepOut: () => this.#room.delete(place),
      stepIn: () => this.#welcome(place),
      leave: (isKnown) => this.#leave(place, isKnown),
      reserve: (holder) => (holder === strangers ? this.#reserve(place) : this.#budget.reserve(holder)),
    });
    this.#welcome(place);
    return place;
  }

  #welcome(place: Place): void {
    this.#room.add(place);
    if (this.#room.size <= this.#limits.maxUnauthenticated) return;
    for (const other of this.#room) {
      if (other === place || !other.giveWay()) continue;
      this.#room.delete(other);
      this.#reporter.acted('unauthenticated');
      return;
    }
    // All of them are being worked on at this moment, and none of them waits for its client.
  }

  /** Bytes of a stranger. Where there is no room for more, those that have waited longest give way, as for a place. */
  #reserve(place: Place): Reservation {
    return new StrangersBytes(this.#budget.reserve(strangers), () => this.#freeBytesFor(place));
  }

  /** Makes one that holds bytes and has waited longer give way; false when there is none. */
  #freeBytesFor(place: Place): boolean {
    for (const other of this.#room) {
      if (other === place) return false;
      if (!other.holdsBytes || !other.giveWay()) continue;
      other.giveBack();
      this.#room.delete(other);
      this.#reporter.acted('unauthenticated');
      return true;
    }
    return false;
  }

  #admit(place: Place): void {
    if (this.#inFlight >= this.#limits.maxInFlight) {
      this.#reporter.acted('in_flight');
      throw new NoPlace('maxInFlight is reached');
    }
    this.#room.delete(place);
    this.#inFlight += 1;
  }

  #leave(place: Place, isKnown: boolean): void {
    if (isKnown) this.#inFlight -= 1;
    else this.#room.delete(place);
  }
}

/** Makes room where there is none. A class, as the budget's own reservations are. */
class StrangersBytes implements Reservation {
  readonly #reservation: Reservation;
  readonly #makeRoom: () => boolean;

  /** @param makeRoom false when there is no room to be made */
  constructor(reservation: Reservation, makeRoom: () => boolean) {
    this.#reservation = reservation;
    this.#makeRoom = makeRoom;
  }

  get bytes(): number {
    return this.#reservation.bytes;
  }

  resize(bytes: number): void {
    for (;;) {
      try {
        this.#reservation.resize(bytes);
        return;
      } catch (error) {
        if (!(error instanceof BudgetExhausted) || !this.#makeRoom()) throw error;
      }
    }
  }

  growTo(bytes: number): void {
    if (bytes > this.bytes) this.resize(bytes);
  }

  release(): void {
    this.#reservation.release();
  }
}

interface PlaceKeeper {
  readonly admit: () => void;
  readonly stepOut: () => void;
  readonly stepIn: () => void;
  readonly leave: (isKnown: boolean) => void;
  readonly reserve: (holder: string) => Reservation;
}

/** The place of one request. */
export class Place {
  readonly #keeper: PlaceKeeper;
  #holder = strangers;
  #isKnown = false;
  #hasLeft = false;
  #reservation: Reservation | undefined;
  #giveWay: (() => void) | undefined;

  constructor(keeper: PlaceKeeper) {
    this.#keeper = keeper;
  }

  /** True once the signature has been verified. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** What the request holds in memory; given back when it leaves. */
  get reservation(): Reservation {
    this.#reservation ??= this.#keeper.reserve(this.#holder);
    return this.#reservation;
  }

  /**
   * Moves the request to the places in flight. `holder` names the user or role that pays for what it holds.
   * @throws NoPlace when `maxInFlight` is reached, BudgetExhausted when `holder` holds too much already
   */
  admit(holder: string): void {
    if (this.#isKnown) return;
    this.#keeper.admit();
    this.#isKnown = true;
    this.#payAs(holder);
  }

  /**
   * Frees the place while the request waits for an identity provider, under whose name its bytes are counted from then on:
   * they would take the room of strangers who could not make it give way. The result takes the place again.
   * @throws BudgetExhausted when those who wait for that provider hold too much already
   */
  stepOut(provider: string): () => void {
    if (this.#isKnown) return () => undefined;
    this.#payAs(`identity provider ${provider}`);
    this.#keeper.stepOut();
    return () => {
      if (!this.#hasLeft && !this.#isKnown) this.#keeper.stepIn();
    };
  }

  /** True while it holds bytes in memory. */
  get holdsBytes(): boolean {
    return (this.#reservation?.bytes ?? 0) > 0;
  }

  /** Gives back what it holds, because it has given way. */
  giveBack(): void {
    this.#reservation?.release();
  }

  #payAs(holder: string): void {
    const bytes = this.#reservation?.bytes ?? 0;
    this.#reservation?.release();
    this.#reservation = undefined;
    this.#holder = holder;
    if (bytes > 0) this.reservation.resize(bytes);
  }

  /**
   * Waits for something that the client or the network decides about. A stranger's request may have to give way then;
   * `abandon` is called to stop the work.
   * @throws NoPlace when another request needs the place
   */
  async waitFor<T>(work: Promise<T>, abandon?: () => void): Promise<T> {
    if (this.#isKnown) return work;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#giveWay = () => {
          reject(new NoPlace('another request needs the place'));
          abandon?.();
        };
        work.then(resolve, reject);
      });
    } finally {
      this.#giveWay = undefined;
    }
  }

  /** Makes a waiting request give way. False when it does not wait. */
  giveWay(): boolean {
    const giveWay = this.#giveWay;
    this.#giveWay = undefined;
    giveWay?.();
    return giveWay !== undefined;
  }

  /** Gives the place and everything held back. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#reservation?.release();
    this.#keeper.leave(this.#isKnown);
  }
}
