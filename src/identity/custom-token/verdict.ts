import { longestSessionSeconds } from '../../core/iam-names.ts';
import { isMapping } from '../../core/mapping.ts';
import type { OutboundAnswer } from '../../outbound/guarded-fetch.ts';

/** A webhook's verdict on a token. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly user: string; readonly maxValiditySeconds: number }
  | { readonly kind: 'denied'; readonly reason: string };

const maxUserLength = 255;
const maxReasonLength = 1024;
const validity = { min: 900, max: longestSessionSeconds };

/**
 * Reads a webhook's response: 200 `{"user", "maxValiditySeconds", "claims"}` or 403 `{"reason"}` (MinIO, "Identity Management
 * Plugin"). `undefined` for anything else. Unknown members are ignored, and so are the claims: they cannot change whose session
 * it is.
 */
export function readVerdict({ status, value }: OutboundAnswer): Verdict | undefined {
  if (!isMapping(value)) return undefined;
  if (status === 403) return readDenial(value['reason']);
  if (status !== 200) return undefined;
  const { user, maxValiditySeconds, claims = {} } = value;
  if (typeof user !== 'string' || user.trim() === '' || user.length > maxUserLength) return undefined;
  if (!isValidity(maxValiditySeconds) || !isMapping(claims)) return undefined;
  return { kind: 'accepted', user, maxValiditySeconds };
}

function readDenial(reason: unknown): Verdict | undefined {
  if (typeof reason !== 'string' || reason === '') return undefined;
  return { kind: 'denied', reason: reason.slice(0, maxReasonLength) };
}

function isValidity(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= validity.min && Number(value) <= validity.max;
}
