import type { ServerResponse } from 'node:http';
import type { Caller } from '../authenticate/caller.ts';
import { requireClient } from '../core/client-gone.ts';
import { nextTurn, type TurnOwner, takeShare } from '../core/turns.ts';

/** Whose turns the requests of a caller take. */
export function turnOwnerOf({ entity, arn }: Caller): TurnOwner {
  return { owner: entity.arn, session: arn };
}

/**
 * Waits for a turn of the event loop for work on a body that has arrived, unless it can be done in this one: the bodies of many
 * requests may arrive together.
 * @param share the part of a turn that the work takes
 * @throws ClientGoneError
 */
export async function waitForCallersTurn(
  { entity, arn }: Caller,
  response: ServerResponse,
  share: number,
): Promise<void> {
  if (takeShare(entity.arn, share)) return;
  await nextTurn(entity.arn, arn, share);
  requireClient(response);
}
