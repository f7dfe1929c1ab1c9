import type { HeaderList } from './header-list.ts';

/** The place of a request in a trace: W3C Trace Context, levels 1 and 2. */
export interface TraceContext {
  /** 32 digits in lower-case hexadecimal, not all zero. */
  readonly traceId: string;
  /** The span that the request comes from, as 16 digits; not all zero. */
  readonly spanId: string;
  /** One byte: 1 when the sender records the trace, and {@link randomFlag}; no other bit is set. */
  readonly flags: number;
  /** The value of `tracestate`; `undefined` without a valid one. */
  readonly state: string | undefined;
}

/** The sender records the trace. */
const sampledFlag = 0x01;

/** The last 56 bits of the trace id are random (level 2). It is passed on as it comes. */
export const randomFlag = 0x02;

/** Version 00 has 55. What is cut out of a longer text keeps all of it in memory, for as long as a span waits. */
const maxParentCharacters = 256;

/** What every receiver must be able to pass on (section 3.3.1.5). No more is kept of what strangers send. */
const maxStateCharacters = 512;
const maxStateMembers = 32;

const parentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;

/** A member of the list, with the keys of level 2. A value has printable characters without comma and equals sign, and no space at its end. */
const stateMember =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads `traceparent` and `tracestate`. `undefined` without a valid `traceparent`: another form, zeros only, the version ff, or more
 * than one line of it. Of a later version the part is read that it has in common with version 00 (section 3.2.4).
 */
export function readTraceContext(headers: HeaderList): TraceContext | undefined {
  const parent = headers.get('traceparent');
  if (parent === undefined || headers.count('traceparent') > 1) return undefined;
  if (parent.length > maxParentCharacters) return undefined;
  const [, version = 'ff', traceId = '', spanId = '', flags = '', further] = parentForm.exec(parent) ?? [];
  if (version === 'ff' || (version === '00' && further !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  const known = Number.parseInt(flags, 16) & (sampledFlag | randomFlag);
  return { traceId, spanId, flags: known, state: readState(headers) };
}

/** The headers for the next hop, flat: name, value, name, value. */
export function traceHeaders({ traceId, spanId, flags, state }: TraceContext): string[] {
  const parent = ['traceparent', `00-${traceId}-${spanId}-0${flags}`];
  return state === undefined ? parent : [...parent, 'tracestate', state];
}

function isZero(digits: string): boolean {
  return /^0*$/.test(digits);
}

// A list that breaks one rule is dropped whole (section 3.3.1.4): what it means then is for no receiver to guess.
function readState(headers: HeaderList): string | undefined {
  const lines = headers.getAll('tracestate');
  if (lines.length === 0 || lines.length > maxStateMembers) return undefined;
  const state = lines.join(',');
  if (state.length > maxStateCharacters) return undefined;
  const members = state
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const isValid = members.length <= maxStateMembers && members.every((member) => stateMember.test(member));
  return isValid && members.length > 0 ? state : undefined;
}
