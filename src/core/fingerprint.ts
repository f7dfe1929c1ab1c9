import { createHash } from 'node:crypto';
import { Secret } from './secret.ts';

/**
 * A digest that is the same for settings of the same content, in lower-case hex. Secrets count, and cannot be read from it.
 * @param value plain data: objects, lists, maps, sets, texts, numbers and secrets
 * @param functions `derived` for data with functions that are made from what stands beside them, which are left out
 * @throws TypeError for any other function, whose content cannot be compared
 */
export function fingerprintOf(value: unknown, functions: 'refused' | 'derived' = 'refused'): string {
  // A function, because `JSON.stringify` passes the result of `toJSON`, which hides a secret, and the holder as `this`.
  function asData(this: unknown, key: string, shown: unknown): unknown {
    const own = (this as Readonly<Record<string, unknown>>)[key];
    if (own instanceof Secret) return { secret: digest(own.reveal()) };
    if (own instanceof Map) return { map: [...own] };
    if (own instanceof Set) return { set: [...own] };
    if (own instanceof RegExp) return { pattern: String(own) };
    if (typeof own === 'function' && functions === 'refused') throw new TypeError(`${key} is a function`);
    return shown;
  }
  return digest(JSON.stringify({ value }, asData));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
