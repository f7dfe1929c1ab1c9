import { Secret as OtpSecret, TOTP } from 'otpauth';
import type { Caller } from '../authenticate/caller.ts';
import type { MfaDevice } from '../directory/user.ts';
import type { OneTimeCodes } from '../state/one-time-codes.ts';
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

/**
 * Checks a one-time code (RFC 6238) against a device of the calling user. Returns when the second factor was proved, in
 * seconds since the Unix epoch; `undefined` when none was sent. Throws AccessDenied, which says the same of a wrong code,
 * one that was used, another user's device and a locked one.
 */
export async function verifyMfa(
  { serialNumber, tokenCode }: SentCode,
  caller: Caller,
  codes: OneTimeCodes,
  nowMs: number,
): Promise<number | undefined> {
  if (serialNumber === undefined && tokenCode === undefined) return undefined;
  if (serialNumber === undefined || tokenCode === undefined) {
    throw stsError(
      'AccessDenied',
      'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
    );
  }
  const device = devicesOf(caller).find((one) => one.serialNumber === serialNumber);
  if (device === undefined) throw refused('the caller has no such device');
  if (await codes.isLocked(serialNumber, nowMs)) throw refused('the device is locked');
  const step = stepOf(device, tokenCode, nowMs);
  if (step === undefined) {
    await codes.failed(serialNumber, nowMs);
    throw refused('the code is wrong');
  }
  if (!(await codes.useOnce(serialNumber, step))) throw refused('the code was used before');
  return Math.floor(nowMs / 1000);
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

function refused(detail: string): Error {
  const message = 'MultiFactorAuthentication failed with invalid MFA one time pass code.';
  return stsError('AccessDenied', message, { detail });
}
