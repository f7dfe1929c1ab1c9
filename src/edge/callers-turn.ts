import type { ServerResponse } from 'node:http';
import type { Asker } from '../authenticate/caller.ts';
import { turnOwnerOf } from '../authorize/asker.ts';
import { requireClient } from '../core/client-gone.ts';
import { nextTurn, takeShare } from '../core/turns.ts';

/**
 * Waits for a turn of the event loop for work on a body that has arrived, unless it can be done in this one: the bodies of many
 * requests may arrive together.
 * @param share the part of a turn that the work takes
 * @throws ClientGoneError
 */
export async function waitForCallersTurn(
  asker: Asker,
  response: ServerResponse,
  share: number,
): Promise<void> {
  const { owner, session } = turnOwnerOf(asker);
  if (takeShare(owner, share)) return;
  await nextTurn(owner, session, share);
  requireClient(response);
}
