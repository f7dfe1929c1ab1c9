import { describe, expect, it } from 'vitest';
import { framingOf } from '../../src/edge/framing-headers.ts';

describe('the fields of a head that frame its body', () => {
  it.each([
    ['none of them', ['X-Amz-Date', 'b'], {}],
    ['a host', ['Host', 'a', 'host', 'b'], { host: 'a' }],
    ['a length in any case', ['CONTENT-Length', '12'], { 'content-length': '12' }],
    ['a length with zeros before it', ['Content-Length', '0000012'], { 'content-length': '12' }],
    ['a coding', ['Transfer-Encoding', 'Chunked'], { 'transfer-encoding': 'chunked' }],
    ['an expectation', ['Expect', '100-continue'], { expect: '100-continue' }],
    ['two expectations', ['Expect', 'a', 'expect', '100-continue'], { expect: 'a, 100-continue' }],
    ['names of the same length', ['Accept', 'a', 'Content-Langue', 'b', 'Transfer-Encodinh', 'c'], {}],
  ])('are those of a head with %s', (_, raw, framing) => {
    expect(framingOf(raw, true)).toEqual(framing);
  });

  it('leaves out what is not needed once the request has arrived', () => {
    expect(framingOf(['Host', 'a', 'Expect', '100-continue', 'Content-Length', '1'], false)).toEqual({
      'content-length': '1',
    });
  });
});
