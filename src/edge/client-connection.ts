import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { Gate } from './gate.ts';
import type { LimitReporter } from './limit-reporter.ts';
import type { Place } from './place.ts';

/** The connection a request arrived on. */
export interface ClientConnection {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Sends `100 Continue` if the client waits for it. */
  readonly invite: () => void;
  /** Headers of every answer, flat name, value, name, value. */
  readonly ownHeaders: readonly string[];
  /** The request's place among those being answered. */
  readonly place: Place;
  readonly clock: Clock;
  readonly reporter: LimitReporter;
  /** Bounds the preflights that wait for the store: strangers send them, and they can outlast their place. */
  readonly preflights: Gate;
}
