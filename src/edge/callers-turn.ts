import type { ServerResponse } from 'node:http';
import type { Asker } from '../authenticate/caller.ts';
import { turnOwnerOf } from '../authorize/asker.ts';
import { requireClient } from '../core/client-gone.ts';
import { nextTurn, strangersLongWork, takeShare } from '../core/turns.ts';

/**
 * Waits for a turn of the event loop for work on a body that has arrived, unless it can be done in this one: the bodies of many
 * requests may arrive together.
 * @param share the part of a turn that the work takes
 * @returns the owner of the work: long work of anonymous callers has one of its own, so that it delays no short work of strangers
 * @throws ClientGoneError
 */
export async function waitForCallersTurn(
  asker: Asker,
  response: ServerResponse,
  share: number,
): Promise<string> {
  const { owner: own, session } = turnOwnerOf(asker);
  const owner = asker.kind === 'anonymous' && share >= 1 ? strangersLongWork : own;
  if (takeShare(owner, share)) return owner;
  await nextTurn(owner, session, share);
  requireClient(response);
  return owner;
}
