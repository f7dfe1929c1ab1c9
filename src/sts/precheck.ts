import { precheckSts } from '../authenticate/authenticate.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { StsDependencies, StsTrace } from './action.ts';
import { stsActions } from './actions/index.ts';
import { apiVersion } from './query-request.ts';

/**
 * Refuses from its head a request that would be refused whatever its body is, so that the body need not be read. Only where
 * the query names a signed action: an action in the body may be an unsigned one, whose `Authorization` header, left over from
 * another service or from expired credentials, is not looked at. Such a body is read, as that of every stranger is.
 * Throws `AuthenticationFault`, the same that `handleSts` would throw.
 */
export async function precheckCall(
  raw: RawRequest,
  { authentication }: Pick<StsDependencies, 'authentication'>,
  trace: StsTrace,
): Promise<void> {
  if (raw.method !== 'POST' && raw.method !== 'GET') return;
  const name = onlyValue(raw, 'Action');
  const action = name === undefined ? undefined : stsActions.get(name);
  if (action?.kind !== 'signed' || onlyValue(raw, 'Version') !== apiVersion) return;
  trace.add({ operation: action.name });
  await precheckSts(raw, authentication);
}

/** The value of a query parameter that occurs once. */
function onlyValue({ parameters }: RawRequest, name: string): string | undefined {
  const [first, ...others] = parameters.filter((one) => one.name === name);
  return others.length === 0 ? first?.value : undefined;
}
