import type { Anonymous } from '../authenticate/anonymous.ts';
import type { Authenticated } from '../authenticate/authenticate.ts';
import type { Asker } from '../authenticate/caller.ts';
import { strangers, type TurnOwner } from '../core/turns.ts';

/** A request that may be decided on: its signature was verified, or it has none and is that of an anonymous caller. */
export type Identified = Authenticated | Anonymous;

/** Stands for all anonymous callers where holders of bytes and places are told apart. */
export const anonymousHolder = 'anonymous callers';

/** Whose bytes in memory those of an asker count for: a user, a role, or all anonymous callers together. */
export function holderOf(asker: Asker): string {
  return asker.kind === 'anonymous' ? anonymousHolder : asker.entity.arn;
}

/** Whose turns of the event loop the requests of an asker take. Anonymous ones take those of strangers, network by network. */
export function turnOwnerOf(asker: Asker): TurnOwner {
  return asker.kind === 'anonymous'
    ? { owner: strangers, session: `anonymous, ${asker.network}` }
    : { owner: asker.entity.arn, session: asker.arn };
}
