import { z } from 'zod';
import { isLoopbackHost } from './loopback.ts';
import type { Reading } from './reading.ts';
import { listenAddress } from './scalars.ts';
import { readSecret, type ValueRule, valueSource } from './secret-value.ts';
import type { ControlSettings } from './settings.ts';

const loopbackAddress = listenAddress.refine(({ host }) => isLoopbackHost(host), {
  error: 'must be a loopback address: its traffic is not encrypted',
});

const control = z
  .strictObject({
    listen: loopbackAddress.prefault('127.0.0.1:9091'),
    token: valueSource.optional(),
  })
  .prefault({});

const tokenRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e]{16,512}$/.test(text),
  message: 'must be 16 to 512 printable characters without spaces',
};

/** Reads `control` with its token; without one the listener is off. */
export function readControl(reading: Reading): ControlSettings | undefined {
  const shape = reading.read(['control'], control);
  if (shape === undefined) return undefined;
  const { listen, token: source } = shape;
  if (source === undefined) {
    if (reading.valueAt(['control']) !== undefined)
      reading.warn(['control'], 'without a token this listener is off');
    return { listen };
  }
  const token = readSecret(reading, ['control', 'token'], source, tokenRule);
  return token && { listen, token };
}
