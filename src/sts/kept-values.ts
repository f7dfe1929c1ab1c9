import { flatCopy } from '../core/bytes.ts';
import type { ParameterTable, ParameterValues } from './parameters.ts';

/** The checked parameters of a call, in memory of their own. */
export interface KeptValues<T extends ParameterTable> {
  readonly values: ParameterValues<T>;
  /** Their size, never less than what their texts take in memory. */
  readonly bytes: number;
}

/**
 * Copies the parameters out of the form, so that nothing of the form is left while the call waits for an identity provider: a
 * value is a slice of its text, and keeps all of it.
 */
export function keepValues<T extends ParameterTable>(read: ParameterValues<T>): KeptValues<T> {
  let bytes = 0;
  const keep = (value: unknown): unknown => {
    if (typeof value === 'string') {
      // V8 takes one or two bytes for each character, UTF-8 one to four.
      bytes += Buffer.byteLength(value);
      return flatCopy(value);
    }
    if (Array.isArray(value)) return value.map(keep);
    if (value instanceof Map) return new Map([...value].map(([field, text]) => [keep(field), keep(text)]));
    return value;
  };
  const values = Object.fromEntries(Object.entries(read).map(([name, value]) => [name, keep(value)]));
  // INVARIANT: every value is a copy of the one that was read.
  return { values: values as ParameterValues<T>, bytes };
}
