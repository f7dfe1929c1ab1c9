import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { Gate } from './gate.ts';
import type { LimitReporter } from './limit-reporter.ts';
import type { Place } from './places.ts';

/** The connection a request arrived on. */
export interface ClientConnection {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Tells a client that waits with `Expect: 100-continue` to send its body. */
  readonly invite: () => void;
  /** Headers of every answer, flat name, value, name, value. */
  readonly ownHeaders: readonly string[];
  /** The request's place among those being answered. */
  readonly place: Place;
  readonly clock: Clock;
  readonly reporter: LimitReporter;
  /** Bounds the preflights that wait for the store: they come from strangers, and outlive a place that was given up. */
  readonly preflights: Gate;
}
