import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../src/core/header-list.ts';
import { readTraceContext, type TraceContext, traceHeaders } from '../../src/core/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const valid = `00-${traceId}-${spanId}-01`;

function read(parents: readonly string[], states: readonly string[] = []): TraceContext | undefined {
  return readTraceContext(
    new HeaderList([
      ...parents.map((value) => ({ name: 'traceparent', value })),
      ...states.map((value) => ({ name: 'tracestate', value })),
    ]),
  );
}

describe('traceparent', () => {
  it('is read, and written as version 00', () => {
    const context = read([valid]);
    expect(context).toEqual({ traceId, spanId, flags: 1, state: undefined });
    expect(context && traceHeaders(context)).toEqual(['traceparent', valid]);
  });

  it.each([
    ['00', 0],
    ['02', 2],
    ['03', 3],
    ['fc', 0],
    ['ff', 3],
  ])('keeps the flags of %s that are defined', (sent, flags) => {
    expect(read([`00-${traceId}-${spanId}-${sent}`])?.flags).toBe(flags);
  });

  it.each([`01-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01-what-the-future-will-be-like`])(
    'of a later version is read as far as it is known: %s',
    (sent) => {
      const context = read([sent]);
      expect(context && traceHeaders(context)).toEqual(['traceparent', valid]);
    },
  );

  it.each([
    ['nothing', ''],
    ['a word', 'none'],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['more than version 00 has', `${valid}-00`],
    ['a dash at the end', `${valid}-`],
    ['a later version that goes on without a dash', `01-${traceId}-${spanId}-01x`],
    ['zeros for a trace', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['zeros for a span', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['upper case', valid.toUpperCase()],
    ['one digit in upper case', valid.replace('f', 'F')],
    ['a short trace', `00-${traceId.slice(1)}-${spanId}-01`],
    ['a long trace', `00-${traceId}0-${spanId}-01`],
    ['a short span', `00-${traceId}-${spanId.slice(1)}-01`],
    ['a short flag', valid.slice(0, -1)],
    ['no flag', `00-${traceId}-${spanId}`],
    ['a short version', valid.slice(1)],
    ['a letter that is no digit', valid.replace('4b', '4g')],
    ['another separator', valid.replaceAll('-', '_')],
    ['space inside', valid.replace('-', ' -')],
    ['two values in a line', `${valid},${valid}`],
    ['an NBSP at its end', `${valid}\u00a0`],
    ['a later version of 257 characters', `01-${traceId}-${spanId}-01-${'x'.repeat(201)}`],
    ['thirty thousand dashes', '-'.repeat(30_000)],
  ])('is ignored with %s', (_, sent) => {
    expect(read([sent], ['vendor=1'])).toBeUndefined();
  });

  it('is ignored in two lines, also when they say the same', () => {
    expect(read([valid, valid])).toBeUndefined();
  });
});

describe('tracestate', () => {
  it.each([
    [['vendor=opaque']],
    [['a@b=1,c/d-e*f_g=x y']],
    [['a=1', 'b=2']],
    [['a=1, ,b=2']],
    [[`a=${'x'.repeat(255)}, b=${'y'.repeat(251)}`]],
  ])('is passed on as it came: %j', (sent) => {
    expect(read([valid], sent)?.state).toBe(sent.join(','));
  });

  it.each([
    ['without a member', ['']],
    ['with commas only', [',,']],
    ['with a key in upper case', ['Vendor=1']],
    ['without a value', ['vendor=']],
    ['without a key', ['=1']],
    ['without an equals sign', ['vendor']],
    ['with two equals signs', ['vendor=a=b']],
    ['with a tab in a value', ['vendor=a\tb']],
    ['with a byte above ASCII', ['vendor=\u00e9']],
    ['with a control character', ['vendor=a\u0001']],
    ['with 33 members', [Array.from({ length: 33 }, (_, at) => `a${at}=1`).join(',')]],
    ['with 33 lines', Array.from({ length: 33 }, (_, at) => `a${at}=1`)],
    ['with 513 characters', [`a=${'x'.repeat(255)},b=${'y'.repeat(253)}`]],
  ])('is dropped %s, and the trace is joined', (_, sent) => {
    expect(read([valid], sent)).toEqual({ traceId, spanId, flags: 1, state: undefined });
  });

  it('means nothing by itself', () => {
    expect(read([], ['vendor=1'])).toBeUndefined();
  });
});
