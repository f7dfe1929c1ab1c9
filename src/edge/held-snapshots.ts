import type { Socket } from 'node:net';
import { resetConnection } from '../core/reset-connection.ts';
import { strangers } from '../core/turns.ts';

/** Configurations that requests in progress may hold, besides the one in force. */
const maxEarlier = 8;
/** Characters of their files, all together; the latest of them may have more. Each character takes some 40 bytes of memory. */
const maxEarlierCharacters = 262_144;

/** A request in progress. */
interface HoldingRequest {
  readonly socket: Socket;
  /** Names the user or role that it comes from, once that is known. */
  readonly place: { readonly holder: string };
}

/**
 * Which snapshots requests in progress hold. A slow upload keeps the configuration with which it began, and has no end: with one that
 * begins before each reload, all configurations would stay in memory.
 */
export class HeldSnapshots<S extends { readonly characters: number }> {
  /** In the order in which they were first used. Of one connection the next request may begin before the last one is over. */
  readonly #requests = new Map<S, Set<HoldingRequest>>();

  /** Notes a request that holds a snapshot. {@link HeldSnapshots.letGo} must follow. */
  hold(snapshot: S, request: HoldingRequest): void {
    const requests = this.#requests.get(snapshot);
    if (requests !== undefined) {
      requests.add(request);
      return;
    }
    this.#requests.set(snapshot, new Set([request]));
    this.#endOldest();
  }

  /** Ends what {@link HeldSnapshots.hold} has noted. */
  letGo(snapshot: S, request: HoldingRequest): void {
    const requests = this.#requests.get(snapshot);
    requests?.delete(request);
    if (requests?.size === 0) this.#requests.delete(snapshot);
  }

  /** Resets all requests that hold another configuration than the one in force, and returns how many these are. */
  endEarlier(inForce: S): number {
    let ended = 0;
    for (const [snapshot, requests] of this.#requests) {
      if (snapshot === inForce) continue;
      ended += requests.size;
      this.#end(snapshot);
    }
    return ended;
  }

  /**
   * Resets all requests of the users and roles that have most in progress: of as many as `callers` says, and of more until these have
   * `least` together. Nothing is reset when all have less. Requests of strangers do not count: they are few, and short.
   * @returns how many have been reset
   */
  endBusiest(callers: number, least: number): number {
    const byHolder = new Map<string, HoldingRequest[]>();
    for (const request of [...this.#requests.values()].flatMap((held) => [...held])) {
      const { holder } = request.place;
      if (holder === strangers) continue;
      const others = byHolder.get(holder);
      if (others === undefined) byHolder.set(holder, [request]);
      else others.push(request);
    }
    const busiest = [...byHolder.values()].sort((one, other) => other.length - one.length);
    const requests: HoldingRequest[] = [];
    for (const [index, own] of busiest.entries()) {
      if (index >= callers && requests.length >= least) break;
      requests.push(...own);
    }
    if (requests.length < least) return 0;
    for (const { socket } of requests) resetConnection(socket);
    return requests.length;
  }

  #endOldest(): void {
    const earlier = [...this.#requests.keys()].reverse().slice(1);
    let characters = 0;
    earlier.forEach((snapshot, age) => {
      characters += snapshot.characters;
      if (age >= maxEarlier || (age > 0 && characters > maxEarlierCharacters)) this.#end(snapshot);
    });
  }

  #end(snapshot: S): void {
    const requests = this.#requests.get(snapshot) ?? [];
    this.#requests.delete(snapshot);
    for (const { socket } of requests) resetConnection(socket);
  }
}
