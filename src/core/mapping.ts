/** An object whose members have not been checked yet. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Narrows to an object that is neither null nor a list. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
