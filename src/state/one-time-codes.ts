/** What is known of a device's codes. Shared by every action that takes one. */
export interface OneTimeCodes {
  /** Whether the device is locked at an instant, in milliseconds since the Unix epoch, after too many wrong codes. */
  isLocked(device: string, nowMs: number): Promise<boolean>;
  /** Notes a wrong code. */
  failed(device: string, nowMs: number): Promise<void>;
  /** True for the first use of a device's time step, and false for every later one. */
  useOnce(device: string, step: number): Promise<boolean>;
}

const maxFailures = 5;
const windowMs = 5 * 60_000;
/** Steps are good for a minute and a half: so many are certainly enough. */
const maxRemembered = 8;

interface DeviceState {
  readonly failedAtMs: number[];
  readonly usedSteps: number[];
}

/** Codes as this process has seen them: five wrong ones in five minutes lock a device for five. */
export class MemoryOneTimeCodes implements OneTimeCodes {
  // Bounded by the devices of the directory: nobody else's serial number gets here.
  readonly #devices = new Map<string, DeviceState>();

  async isLocked(device: string, nowMs: number): Promise<boolean> {
    const { failedAtMs } = this.#stateOf(device);
    const [first] = failedAtMs.slice(-maxFailures);
    const last = failedAtMs.at(-1);
    if (first === undefined || last === undefined || failedAtMs.length < maxFailures) return false;
    return last - first < windowMs && nowMs - last < windowMs;
  }

  async failed(device: string, nowMs: number): Promise<void> {
    const { failedAtMs } = this.#stateOf(device);
    failedAtMs.push(nowMs);
    if (failedAtMs.length > maxFailures) failedAtMs.shift();
  }

  async useOnce(device: string, step: number): Promise<boolean> {
    const { usedSteps } = this.#stateOf(device);
    if (usedSteps.includes(step)) return false;
    usedSteps.push(step);
    if (usedSteps.length > maxRemembered) usedSteps.shift();
    return true;
  }

  #stateOf(device: string): DeviceState {
    const known = this.#devices.get(device);
    if (known !== undefined) return known;
    const state = { failedAtMs: [], usedSteps: [] };
    this.#devices.set(device, state);
    return state;
  }
}
