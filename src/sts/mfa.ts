import { Secret as OtpSecret, TOTP } from 'otpauth';
import type { Caller } from '../authenticate/caller.ts';
import type { MfaDevice } from '../directory/user.ts';
import { type SharedState, StateFault } from '../state/shared-state.ts';
import type { SignedCall } from './action.ts';
import { stsError } from './errors.ts';

/** A second factor as a request sends it. */
export interface SentCode {
  readonly serialNumber: string | undefined;
  readonly tokenCode: string | undefined;
}

const periodSeconds = 30;
const digits = 6;
/** Steps before and after the current one that are accepted: clocks of devices drift (RFC 6238, 5.2). */
const window = 1;
/** Codes count when the request's head arrives, its body may take a while, and clocks of replicas differ. */
const clockMarginMs = 60_000;
/** Five wrong codes in five minutes lock a device for five. */
const wrongCodes = { maxFailures: 5, windowMs: 5 * 60_000 };

/** How an attempt to prove a second factor ended, for the metrics. */
type MfaOutcome = 'accepted' | 'wrong' | 'reused' | 'locked' | 'unknown_device';

/**
 * Checks a one-time code (RFC 6238) against a device of the calling user. Returns when the second factor was proved, in
 * seconds since the Unix epoch; `undefined` when none was sent. Throws AccessDenied, which says the same of a wrong code,
 * one that was used, another user's device and a locked one. Throws `StateFault` when nobody can say which codes were used.
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
  if (!(await state.useOnce(`${name}:${step}`, rememberUntilMs, nowMs))) return 'reused';
  await forgive(name, state, nowMs);
  return 'accepted';
}

// The code was right and is used up: what it leaves behind may count as a failure, but it was none.
async function forgive(name: string, state: SharedState, nowMs: number): Promise<void> {
  try {
    await state.forgiveAttempt(name, nowMs);
  } catch (error) {
    if (!(error instanceof StateFault)) throw error;
  }
}

function devicesOf({ entity }: Caller): readonly MfaDevice[] {
  return entity.kind === 'user' ? entity.mfaDevices : [];
}

/** The time step that a code is of; `undefined` for a wrong one. */
function stepOf({ totpSecret }: MfaDevice, tokenCode: string, nowMs: number): number | undefined {
  const secret = OtpSecret.fromBase32(totpSecret.reveal());
  const totp = new TOTP({ secret, algorithm: 'SHA1', digits, period: periodSeconds });
  const delta = totp.validate({ token: tokenCode, timestamp: nowMs, window });
  return delta === null ? undefined : Math.floor(nowMs / 1000 / periodSeconds) + delta;
}
