import { s3Error } from './errors.ts';
import { parseCount, parseInstant, writeInstant } from './object-lock.ts';
import { parseFormTags, writeFormTags } from './tagging-header.ts';

/**
 * Reads a header's value: what to forward, `undefined` to forward nothing.
 * @throws `InvalidArgument`
 */
type ValueRule = (name: string, value: string) => string | undefined;

function refuse(name: string, expected: string): Error {
  return s3Error('InvalidArgument', `The header ${name} must be ${expected}.`);
}

function oneOf(...values: readonly string[]): ValueRule {
  return (name, value) => {
    if (!values.includes(value)) throw refuse(name, `one of ${values.join(', ')}`);
    return value;
  };
}

// Some stores only check whether the header is present, so `false` is not sent.
const flag: ValueRule = (name, value) => {
  const lower = value.toLowerCase();
  if (lower !== 'true' && lower !== 'false') throw refuse(name, 'true or false');
  return lower === 'true' ? lower : undefined;
};

const instant: ValueRule = (name, value) => {
  const instantMs = parseInstant(value);
  if (instantMs === undefined) throw refuse(name, 'a date and time of ISO 8601');
  return writeInstant(instantMs);
};

const count: ValueRule = (name, value) => {
  if (parseCount(value) === undefined) throw refuse(name, 'a whole number');
  return value;
};

// AWS knows this one form. versitygw 1.8 takes `bytes=1-` for one byte more than the object has (observed on 2026-11-29).
const wholeRange: ValueRule = (name, value) => {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(value) ?? [];
  if (first === undefined || Number(first) > Number(last)) throw refuse(name, 'of the form bytes=first-last');
  return value;
};

// Rewritten, because stores disagree about details such as whether `+` is a space.
const formTags: ValueRule = (_, value) => {
  const tags = parseFormTags(value);
  return tags.length === 0 ? undefined : writeFormTags(tags);
};

/**
 * Headers whose value decides which permission is needed, or is a context key that is not plain text. Only one spelling is
 * accepted, because a store might read another one differently from the policies. Sources: the API reference of each operation.
 */
export const valueRules: ReadonlyMap<string, ValueRule> = new Map([
  ['x-amz-bucket-object-lock-enabled', flag],
  ['x-amz-bypass-governance-retention', flag],
  ['x-amz-confirm-remove-self-bucket-access', flag],
  ['x-amz-copy-source-range', wholeRange],
  ['x-amz-metadata-directive', oneOf('COPY', 'REPLACE')],
  ['x-amz-object-annotation-directive', oneOf('COPY', 'EXCLUDE')],
  ['x-amz-object-lock-event-hold', oneOf('ON', 'OFF')],
  ['x-amz-object-lock-event-hold-duration-days', count],
  ['x-amz-object-lock-event-hold-duration-years', count],
  ['x-amz-object-lock-legal-hold', oneOf('ON', 'OFF')],
  ['x-amz-object-lock-mode', oneOf('GOVERNANCE', 'COMPLIANCE')],
  ['x-amz-object-lock-retain-until-date', instant],
  ['x-amz-skip-destination-validation', flag],
  ['x-amz-tagging', formTags],
  ['x-amz-tagging-directive', oneOf('COPY', 'REPLACE')],
]);
