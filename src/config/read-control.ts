import type { Reading } from './reading.ts';
import { readSecret, type ValueRule } from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

const tokenRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e]{16,512}$/.test(text),
  message: 'must be 16 to 512 printable characters without spaces',
};

/** Reads `control` with its token; without one the listener is off. */
export function readControl(reading: Reading): Settings['control'] | undefined {
  const shape = reading.read(['control'], sections.control);
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
