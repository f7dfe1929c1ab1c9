import { performance } from 'node:perf_hooks';
import { anonymousHolder } from '../authorize/asker.ts';
import type { ByteBudget, Reservation } from '../core/byte-budget.ts';
import { strangers } from '../core/turns.ts';
import { CallersPlaces } from './callers-places.ts';
import { leastDue } from './least-due.ts';
import type { LimitReporter } from './limit-reporter.ts';
import { type CallerListener, NoPlaceError, Place, type PlaceKeeper } from './place.ts';
import { RateExceededError, RequestRates } from './request-rates.ts';
import { StrangersBytes } from './strangers-bytes.ts';

/** How many requests may be in progress at once. */
export interface PlaceLimits {
  /** Authenticated requests. */
  readonly maxInFlight: number;
  /** Requests whose signature has not been verified. */
  readonly maxUnauthenticated: number;
  /** Requests in a second, of one holder of places or one network of strangers. 0 means no limit. */
  readonly requestsPerSecondPerClient: number;
}

/** The forms of one user or role take one of so many parts of the places in flight, also while no other caller is there. */
const formsPart = 4;

/** All anonymous callers together take one of so many parts. */
const anonymousPart = 4;

/** Paths of the store have places for so many requests, beside those in flight: monitors ask them now and then. */
const pathPlaces = 16;
/** Who holds these. */
const pathHolder = 'paths of the store';

/**
 * The places of the requests in progress.
 *
 * A request starts as a stranger's, in a small room for requests without a verified signature. A flood of those fills only
 * that room: when it is full, another one gives way. Once its signature is verified, a request moves to the places in flight, of
 * which no caller may take all while others call. Anonymous callers have a quarter of them, shared among their networks. The forms of a caller count apart from its other requests: any visitor of a web page
 * has one, and may upload as slowly as it likes.
 */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #reporter: LimitReporter;
  readonly #budget: ByteBudget;
  readonly #room = new Set<Place>();
  readonly #callers: CallersPlaces;
  // Apart, so that strangers of many networks make nothing forgotten that callers have sent.
  readonly #callersRates: RequestRates | undefined;
  readonly #networksRates: RequestRates | undefined;
  /** The part of those places that anonymous callers may have, by their networks. */
  readonly #anonymous: CallersPlaces;
  /** The places for paths of the store, by networks. */
  readonly #paths: CallersPlaces = new CallersPlaces(pathPlaces, true);
  /** One for all places: a request makes no closures. */
  readonly #keeper: PlaceKeeper = {
    admit: (place, caller, isForm) => this.#admit(place, caller.owner, isForm),
    countStranger: (network) => this.#requireRate(this.#networksRates, network),
    admitAnonymous: (place, network, isPath) =>
      isPath ? this.#admitPath(place, network) : this.#admitAnonymous(place, network),
    stepOut: (place) => this.#room.delete(place),
    stepIn: (place) => this.#welcome(place),
    leave: (place, holder, network) => this.#leave(place, holder, network),
    reserve: (place, holder) => (holder === strangers ? this.#reserve(place) : this.#budget.reserve(holder)),
  };

  /** @param budget for what requests hold in memory */
  constructor(limits: PlaceLimits, budget: ByteBudget, reporter: LimitReporter) {
    this.#limits = limits;
    this.#callers = new CallersPlaces(limits.maxInFlight);
    const rate = limits.requestsPerSecondPerClient;
    this.#callersRates = rate === 0 ? undefined : new RequestRates(rate);
    this.#networksRates = rate === 0 ? undefined : new RequestRates(rate);
    this.#anonymous = new CallersPlaces(Math.max(1, Math.floor(limits.maxInFlight / anonymousPart)), true);
    this.#budget = budget;
    this.#reporter = reporter;
  }

  /** Requests whose signature has not been verified. */
  get unauthenticated(): number {
    return this.#room.size;
  }

  /** Requests whose signature has been verified, and those of anonymous callers. */
  get inFlight(): number {
    return this.#callers.taken;
  }

  /**
   * A place for a request that has just arrived. {@link Place.leave} must follow.
   * @param listener told of its caller once its signature has been verified, also if it is then refused a place
   */
  enter(listener?: CallerListener): Place {
    const place = new Place(this.#keeper, listener);
    this.#welcome(place);
    return place;
  }

  #welcome(place: Place): void {
    this.#room.add(place);
    if (this.#room.size <= this.#limits.maxUnauthenticated) return;
    const other = leastDue(this.#room, performance.now());
    // Otherwise none of them waits, so none can give way now. Each will be done, or wait, before the next event.
    if (other?.giveWay() !== true) return;
    this.#room.delete(other);
    this.#reporter.acted('unauthenticated');
  }

  /** A reservation for a stranger. When the budget is used up, the requests that have waited longest give way. */
  #reserve(place: Place): Reservation {
    return new StrangersBytes(this.#budget.reserve(strangers), () => this.#freeBytesFor(place));
  }

  /** Makes a request that holds bytes and has waited longer give way; false when there is none. */
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

  #admit(place: Place, owner: string, isForm: boolean): string {
    const { maxInFlight } = this.#limits;
    const holder = isForm ? `forms of ${owner}` : owner;
    const most = isForm ? Math.max(1, Math.floor(maxInFlight / formsPart)) : maxInFlight;
    this.#requireRate(this.#callersRates, holder);
    if (!this.#callers.take(holder, most))
      throw this.#noPlace('maxInFlight is reached, or the caller has most places');
    this.#room.delete(place);
    return holder;
  }

  #requireRate(rates: RequestRates | undefined, client: string): void {
    if (rates === undefined || rates.take(client)) return;
    this.#reporter.acted('request_rate');
    throw new RateExceededError('the client sends more requests than requestsPerSecondPerClient');
  }

  #admitAnonymous(place: Place, network: string): string {
    if (!this.#anonymous.take(network)) throw this.#noPlace('anonymous callers, or this network, have all');
    if (!this.#callers.take(anonymousHolder)) {
      this.#anonymous.giveBack(network);
      throw this.#noPlace('maxInFlight is reached');
    }
    this.#room.delete(place);
    return anonymousHolder;
  }

  #admitPath(place: Place, network: string): string {
    if (!this.#paths.take(network))
      throw this.#noPlace('paths of the store have no place, or this network has most');
    this.#room.delete(place);
    return pathHolder;
  }

  #noPlace(why: string): NoPlaceError {
    this.#reporter.acted('in_flight');
    return new NoPlaceError(why);
  }

  #leave(place: Place, holder: string | undefined, network: string | undefined): void {
    if (holder === pathHolder) {
      this.#paths.giveBack(network ?? '');
      return;
    }
    if (network !== undefined) this.#anonymous.giveBack(network);
    if (holder === undefined) this.#room.delete(place);
    else this.#callers.giveBack(holder);
  }
}
