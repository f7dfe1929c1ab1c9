import { Secret as OtpSecret, TOTP } from 'otpauth';
import type { Caller } from '../authenticate/caller.ts';
import type { MfaDevice } from '../directory/user.ts';
import { type SharedState, StateError } from '../state/shared-state.ts';
import type { SignedCall } from './action.ts';
import { stsError } from './errors.ts';

/** The MFA parameters of a request. */
export interface SentCode {
  readonly serialNumber: string | undefined;
  readonly tokenCode: string | undefined;
}

const periodSeconds = 30;
const digits = 6;
/** Accepted time steps before and after the current one, because device clocks drift (RFC 6238, 5.2). */
const window = 1;
/** Extra time for which a used code is remembered: a body may take a while after its head, and clocks of replicas differ. */
const clockMarginMs = 60_000;
/** Five wrong codes within five minutes lock a device for five minutes. */
const wrongCodes = { maxFailures: 5, windowMs: 5 * 60_000 };

/** The outcome of an MFA attempt, for the metrics. */
type MfaOutcome = 'accepted' | 'wrong' | 'reused' | 'locked' | 'unknown_device';

/**
 * Checks a one-time code (RFC 6238) against a device of the calling user. Returns the time of the MFA authentication in seconds
 * since the Unix epoch, or `undefined` when the request has no code.
 * @throws ServiceError AccessDenied, with the same text for a wrong code, a used code, a device of another user and a locked
 * device
 * @throws StateError when it is unknown which codes were used
 */
export async function verifyMfa(
  { serialNumber, tokenCode }: SentCode,
  { authenticated, dependencies, trace }: SignedCall,
): Promise<number | undefined> {
  if (serialNumber === undefined && tokenCode === undefined) return undefined;
  if (serialNumber === undefined || tokenCode === undefined) {
    throw stsError(
      'AccessDenied',
      'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
    );
  }
  const { caller, raw } = authenticated;
  const nowMs = raw.receivedAtMs;
  const device = devicesOf(caller).find((one) => one.serialNumber === serialNumber);
  const outcome =
    device === undefined ? 'unknown_device' : await tryCode(device, tokenCode, dependencies.state, nowMs);
  trace.add({ mfaOutcome: outcome });
  if (outcome !== 'accepted') {
    const message = 'MultiFactorAuthentication failed with invalid MFA one time pass code.';
    throw stsError('AccessDenied', message, { detail: `second factor: ${outcome}` });
  }
  return Math.floor(nowMs / 1000);
}

async function tryCode(
  device: MfaDevice,
  tokenCode: string,
  state: SharedState,
  nowMs: number,
): Promise<MfaOutcome> {
  const name = `mfa:${device.serialNumber}`;
  if (!(await state.beginAttempt(name, wrongCodes, nowMs))) return 'locked';
  const step = stepOf(device, tokenCode, nowMs);
  if (step === undefined) return 'wrong';
  const rememberUntilMs = (step + window + 1) * periodSeconds * 1000 + clockMarginMs;
  try {
    if (!(await state.useOnce(`${name}:${step}`, rememberUntilMs, nowMs))) return 'reused';
  } catch (error) {
    // The code was right, so it must not count towards a lock.
    await forgive(name, state, nowMs);
    throw error;
  }
  await forgive(name, state, nowMs);
  return 'accepted';
}

// The attempt was counted as a failure before its outcome was known. If that cannot be undone, the code is accepted all the
// same.
async function forgive(name: string, state: SharedState, nowMs: number): Promise<void> {
  try {
    await state.forgiveAttempt(name, nowMs);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
  }
}

function devicesOf({ entity }: Caller): readonly MfaDevice[] {
  return entity.kind === 'user' ? entity.mfaDevices : [];
}

/** The time step of a code; `undefined` for a wrong code. */
function stepOf({ totpSecret }: MfaDevice, tokenCode: string, nowMs: number): number | undefined {
  const secret = OtpSecret.fromBase32(totpSecret.reveal());
  const totp = new TOTP({ secret, algorithm: 'SHA1', digits, period: periodSeconds });
  const delta = totp.validate({ token: tokenCode, timestamp: nowMs, window });
  return delta === null ? undefined : Math.floor(nowMs / 1000 / periodSeconds) + delta;
}
