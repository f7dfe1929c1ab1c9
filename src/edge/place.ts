import { performance } from 'node:perf_hooks';
import type { Reservation } from '../core/byte-budget.ts';
import { type AwaitedTurn, strangers, type TurnOwner } from '../core/turns.ts';
import type { WaitReason } from './least-due.ts';

/** There is no place for the request, or it had to give its place to another one. */
export class NoPlaceError extends Error {
  override readonly name = 'NoPlaceError';
}

/** What places ask of all of them together. */
export interface PlaceKeeper {
  /**
   * Returns the holder of the place in flight.
   * @throws NoPlaceError
   */
  readonly admit: (place: Place, caller: TurnOwner, isForm: boolean) => string;
  /** @throws RateExceededError when the network sends too many requests */
  readonly countStranger: (network: string) => void;
  /**
   * The same for an anonymous caller.
   * @throws NoPlaceError
   */
  readonly admitAnonymous: (place: Place, network: string, isPath: boolean) => string;
  readonly stepOut: (place: Place) => void;
  readonly stepIn: (place: Place) => void;
  /**
   * @param holder of a place in flight; `undefined` for a stranger's
   * @param network of an anonymous caller
   */
  readonly leave: (place: Place, holder: string | undefined, network: string | undefined) => void;
  readonly reserve: (place: Place, holder: string) => Reservation;
}

/** Who is told whose request it is. */
export interface CallerListener {
  readonly know: (caller: TurnOwner) => void;
}

/** The place of one request. */
export class Place {
  /** The network that the request comes from, once it is known. */
  client = '';
  /** When it began to wait, in milliseconds of the monotonic clock. */
  waitsSinceMs = 0;
  readonly #keeper: PlaceKeeper;
  readonly #listener: CallerListener | undefined;
  #holder: string = strangers;
  #isKnown = false;
  #isCounted = false;
  /** Set for the request of an anonymous caller. */
  #network: string | undefined;
  #hasLeft = false;
  #hasGivenWay = false;
  #reservation: Reservation | undefined;
  #giveWay: (() => void) | undefined;
  #waitsFor: WaitReason;
  #keptUntil: Promise<void> | undefined;

  /** @param listener told of the caller once the signature has been verified, also if the request is then refused a place */
  constructor(keeper: PlaceKeeper, listener: CallerListener | undefined) {
    this.#keeper = keeper;
    this.#listener = listener;
  }

  /** True once it is in flight: the signature has been verified, or the request is that of an anonymous caller. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Whom its memory counts for: the user or role once the signature has been verified, or a provider while it waits for that one. */
  get holder(): string {
    return this.#holder;
  }

  /** True once the place belongs to another request. Nothing can make this one give way again, so it must not wait for more. */
  get hasGivenWay(): boolean {
    return this.#hasGivenWay;
  }

  /** What a stranger's request waits for. Meanwhile it can give way. */
  get waitsFor(): WaitReason {
    return this.#waitsFor;
  }

  /** What the request holds in memory. Released by {@link leave}. */
  get reservation(): Reservation {
    this.#reservation ??= this.#keeper.reserve(this, this.#holder);
    return this.#reservation;
  }

  /**
   * Moves the request to the places in flight. Its bytes count for the user or role from now on.
   * @param isForm for a form: its sender is not the user or role that signed it, so the forms of one have a holder of their own
   * @throws RateExceededError when the holder sends too many requests, NoPlaceError when `maxInFlight` is reached, or the holder has most
   *   places, BudgetExhaustedError when it already holds too much
   */
  admit(caller: TurnOwner, isForm = false): void {
    if (this.#isKnown) return;
    // Also one that is refused now: its caller is known.
    this.#isCounted = true;
    this.#listener?.know(caller);
    const holder = this.#keeper.admit(this, caller, isForm);
    this.#isKnown = true;
    this.#payAs(holder);
  }

  /**
   * Counts the request for the rate of its network, unless it has been counted. Must come before any work for it, unless that verifies
   * its signature.
   * @throws RateExceededError when the network sends too many requests
   */
  countStranger(): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.#keeper.countStranger(this.client);
  }

  /**
   * Moves the request to the places in flight that anonymous callers have.
   * @param network the network of the client; those of anonymous callers share their places
   * @param isPath for a path of the store; these have places of their own, which other requests never take
   * @throws RateExceededError when the network sends too many requests, NoPlaceError when they have as many as they may, or the network has most of them; BudgetExhaustedError
   */
  admitAnonymous(network: string, isPath = false): void {
    if (this.#isKnown) return;
    this.countStranger();
    const holder = this.#keeper.admitAnonymous(this, network, isPath);
    this.#isKnown = true;
    this.#network = network;
    this.#payAs(holder);
  }

  /**
   * Frees the place while the request waits for an identity provider. Its bytes count for the provider from then on, since
   * other strangers can no longer make it give way. Calling the result takes a place again.
   * @throws BudgetExhaustedError when the requests that wait for this provider already hold too much
   */
  stepOut(provider: string): () => void {
    if (this.#isKnown) return () => undefined;
    this.#payAs(`identity provider ${provider}`);
    this.#keeper.stepOut(this);
    return () => {
      if (!this.#hasLeft && !this.#isKnown) this.#keeper.stepIn(this);
    };
  }

  /** True while it holds bytes in memory. */
  get holdsBytes(): boolean {
    return (this.#reservation?.bytes ?? 0) > 0;
  }

  /** Releases its bytes, because it has given way. */
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
   * Waits for the client or the network. Meanwhile a stranger's request may have to give way; `abandon` is then called to
   * stop the work.
   * @throws NoPlaceError when another request needs the place
   */
  waitFor<T>(work: Promise<T>, abandon?: () => void): Promise<T> {
    return this.#wait('client', work, abandon);
  }

  /**
   * The same for a turn of the event loop.
   * @param isLong for work that takes a whole turn or more
   * @throws NoPlaceError when another request needs the place
   */
  waitForTurn({ comes, abandon }: AwaitedTurn, isLong: boolean): Promise<void> {
    return this.#wait(isLong ? 'long turn' : 'turn', comes, abandon);
  }

  /**
   * The same for the gate of preflights.
   * @throws NoPlaceError when another request needs the place
   */
  waitForGate(entered: Promise<void>, abandon: () => void): Promise<void> {
    return this.#wait('gate', entered, abandon);
  }

  async #wait<T>(what: WaitReason, work: Promise<T>, abandon: (() => void) | undefined): Promise<T> {
    if (this.#isKnown) return work;
    this.#waitsFor = what;
    this.waitsSinceMs = performance.now();
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#giveWay = () => {
          reject(new NoPlaceError('another request needs the place'));
          abandon?.();
        };
        work.then(resolve, reject);
      });
    } finally {
      this.#giveWay = undefined;
      this.#waitsFor = undefined;
    }
  }

  /** Makes the request give way. False when it is not waiting. */
  giveWay(): boolean {
    const giveWay = this.#giveWay;
    if (giveWay === undefined) return false;
    this.#giveWay = undefined;
    this.#waitsFor = undefined;
    this.#hasGivenWay = true;
    giveWay();
    return true;
  }

  /** Keeps the place of an answered request until something else is over as well. */
  keep(until: Promise<void>): void {
    this.#keptUntil = until;
  }

  /** Set while something outlasts the answer to the request. {@link leave} must wait for it. */
  get keptUntil(): Promise<void> | undefined {
    return this.#keptUntil;
  }

  /** Frees the place and all bytes. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#reservation?.release();
    this.#keeper.leave(this, this.#isKnown ? this.#holder : undefined, this.#network);
  }
}
