import { precheckSts } from '../authenticate/authenticate.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { StsDependencies, StsTrace } from './action.ts';
import { stsActions } from './actions/index.ts';
import { apiVersion } from './query-request.ts';

/**
 * Refuses a request whose head already shows that it will be refused, so that its body need not be read. Applies only when the
 * query names a signed action. An action in the body may be an unsigned one, for which an `Authorization` header left over from
 * another service or from expired credentials is ignored.
 * @throws AuthenticationFault the same that `handleSts` would throw
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
  const sent = new Map(raw.parameters.map((one) => [one.name, one.value]));
  trace.add({ operation: action.name, ...action.asks(sent) });
  await precheckSts(raw, authentication);
}

/** The value of a query parameter, if it occurs exactly once. */
function onlyValue({ parameters }: RawRequest, name: string): string | undefined {
  const [first, ...others] = parameters.filter((one) => one.name === name);
  return others.length === 0 ? first?.value : undefined;
}
