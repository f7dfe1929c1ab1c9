import type { Authorized } from '../authorize/authorize-s3.ts';
import type { PassedOn } from '../authorize/pass-on.ts';

/** A request whose answer is relayed. */
export type Relayed = Authorized | PassedOn;

/** True when the client's own credentials, or none, reach the store: its refusal of them is for the client. */
export function isPassedOn(relayed: Relayed): relayed is PassedOn {
  return 'isPassedOn' in relayed;
}
