/** The selectors of a revocation: exactly one of them, or none for every session. */
const selectors = ['sessionId', 'roleSession', 'role', 'user', 'issuer'] as const;

/** One of {@link selectors}. */
export type RevocationSelector = (typeof selectors)[number];

/** A revocation as written. */
export interface RevocationRecord {
  /** `undefined`: every session. */
  readonly selector: { readonly kind: RevocationSelector; readonly value: string } | undefined;
  /** Only sessions issued before this time, in milliseconds since the Unix epoch; `undefined`: all. */
  readonly issuedBeforeMs: number | undefined;
}

/** A fault in a revocation, with the key concerned; `undefined` for the revocation as a whole. */
export interface RevocationProblem {
  readonly key: string | undefined;
  readonly message: string;
  /** An unknown name or key, with the existing ones, for a suggestion. */
  readonly unknownName?: { readonly name: string; readonly known: readonly string[] };
  /** What the author can do otherwise, to be added to the message where nothing is suggested. */
  readonly hint?: string;
}

const maxValueLength = 2048;

/** Reads `{ sessionId | roleSession | role | user | issuer, issuedBefore }`, or returns every fault. */
export function parseRevocationRecord(
  source: unknown,
): { readonly record: RevocationRecord } | { readonly problems: readonly RevocationProblem[] } {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    return { problems: [{ key: undefined, message: 'must be a mapping' }] };
  }
  const fields = new Map(Object.entries(source));
  const named = selectors.filter((kind) => fields.has(kind));
  const issuedBefore = fields.get('issuedBefore');
  const issuedBeforeMs = issuedBefore === undefined ? undefined : parseTime(issuedBefore);
  const problems: RevocationProblem[] = [
    ...[...fields.keys()].flatMap((key) => (isKnown(key) ? [] : unknownKey(key))),
    ...named.flatMap((kind) => checkValue(kind, fields.get(kind))),
  ];
  if (issuedBefore !== undefined && issuedBeforeMs === undefined) {
    problems.push({
      key: 'issuedBefore',
      message: 'must be a time in UTC, for example 2026-11-22T00:00:00Z',
    });
  }
  if (named.length > 1) {
    problems.push({
      key: named[1],
      message: `cannot be combined with ${named[0] ?? ''}: a revocation names one`,
    });
  }
  if (named.length === 0 && issuedBefore === undefined) {
    problems.push({ key: undefined, message: `must hold one of ${selectors.join(', ')}, or issuedBefore` });
  }
  if (problems.length > 0) return { problems };
  const [kind] = named;
  const selector = kind === undefined ? undefined : { kind, value: String(fields.get(kind)) };
  return { record: { selector, issuedBeforeMs } };
}

function isKnown(key: string): boolean {
  return key === 'issuedBefore' || selectors.some((kind) => kind === key);
}

function unknownKey(name: string): RevocationProblem {
  return { key: name, message: 'unknown key', unknownName: { name, known: [...selectors, 'issuedBefore'] } };
}

function checkValue(kind: RevocationSelector, value: unknown): RevocationProblem[] {
  const isText = typeof value === 'string' && value !== '' && value.length <= maxValueLength;
  return isText ? [] : [{ key: kind, message: `must be text of 1 to ${maxValueLength} characters` }];
}

function parseTime(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const [, seconds, fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?Z$/.exec(value) ?? [];
  if (seconds === undefined) return undefined;
  const written = `${seconds}.${fraction.padEnd(3, '0')}Z`;
  const milliseconds = Date.parse(written);
  // The date parser would read February 30 as a day in March.
  const isReal = !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === written;
  return isReal ? milliseconds : undefined;
}
