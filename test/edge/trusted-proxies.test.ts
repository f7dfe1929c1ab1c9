import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../src/core/header-list.ts';
import type { RawRequest } from '../../src/core/raw-request.ts';
import { HeadFault, headError } from '../../src/edge/head-fault.ts';
import { TrustedProxies } from '../../src/edge/trusted-proxies.ts';

const proxies = new TrustedProxies([
  { address: '10.0.0.0', prefixBits: 8 },
  { address: '2001:db8:1::', prefixBits: 48 },
]);

type Header = readonly [name: string, value: string];

function request(peer: string, ...headers: readonly Header[]): RawRequest {
  const fields = [['host', 's3.internal'] as const, ...headers].map(([name, value]) => ({ name, value }));
  return {
    method: 'GET',
    path: '/data/k',
    query: '',
    parameters: [],
    headers: new HeaderList(fields),
    clientAddress: peer,
    isSecure: false,
    receivedAtMs: 0,
    requestId: 'R',
  };
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'accepted';
  } catch (error) {
    return error instanceof HeadFault ? headError(error, 's3').code : 'another error';
  }
}

const forwardedFor = (peer: string, ...values: string[]): RawRequest =>
  proxies.seenThrough(request(peer, ...values.map((value) => ['x-forwarded-for', value] as const)));

describe('the client behind proxies', () => {
  it.each([
    ['10.1.1.1', ['192.0.2.7'], '192.0.2.7'],
    ['10.1.1.1', ['203.0.113.9, 192.0.2.7'], '192.0.2.7'],
    ['10.1.1.1', ['192.0.2.7, 10.2.2.2, 10.3.3.3'], '192.0.2.7'],
    ['10.1.1.1', ['203.0.113.9, 192.0.2.7, 10.2.2.2'], '192.0.2.7'],
    ['10.1.1.1', ['203.0.113.9', '192.0.2.7'], '192.0.2.7'],
    ['10.1.1.1', ['nonsense, 192.0.2.7'], '192.0.2.7'],
    ['10.1.1.1', ['10.4.4.4, 10.2.2.2'], '10.4.4.4'],
    ['10.1.1.1', [], '10.1.1.1'],
    ['10.1.1.1', ['192.0.2.7:4711'], '192.0.2.7'],
    ['10.1.1.1', ['::ffff:192.0.2.7'], '192.0.2.7'],
    ['10.1.1.1', ['2001:db8::7'], '2001:db8::7'],
    ['10.1.1.1', ['[2001:db8::7]:4711'], '2001:db8::7'],
    ['2001:db8:1::1', ['192.0.2.7'], '192.0.2.7'],
  ])('of %s with %j is %s', (peer, values, client) => {
    expect(forwardedFor(peer, ...values).clientAddress).toBe(client);
  });

  it.each([
    ['192.0.2.9', '127.0.0.1'],
    ['11.0.0.1', '10.0.0.1'],
    ['2001:db8:2::1', '10.0.0.1'],
    ['::1', '10.0.0.1'],
  ])('is the peer %s itself when that is not a trusted proxy, whatever it claims', (peer, claimed) => {
    const raw = request(
      peer,
      ['x-forwarded-for', claimed],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-host', 'evil'],
    );
    expect(proxies.seenThrough(raw)).toBe(raw);
  });

  it('cannot be chosen when no proxy is trusted', () => {
    const raw = request('127.0.0.1', ['x-forwarded-for', '10.0.0.1']);
    expect(new TrustedProxies([]).seenThrough(raw)).toBe(raw);
  });

  it.each([
    '',
    'unknown',
    '192.0.2',
    '192.0.2.7.8',
    '192.0.2.7, ',
    '_hidden',
    '0x7f000001',
    '192.0.2.7:port',
    '[::1',
    'a'.repeat(5000),
  ])('is refused when a trusted proxy says it is %j', (value) => {
    expect(codeOf(() => forwardedFor('10.1.1.1', value))).toBe('InvalidRequest');
  });

  it('is refused behind a hundred proxies', () => {
    expect(codeOf(() => forwardedFor('10.1.1.1', Array(101).fill('10.1.1.1').join(',')))).toBe(
      'InvalidRequest',
    );
  });

  it('is not read from a header spelled with underscores', () => {
    const raw = request('10.1.1.1', ['x_forwarded_for', '192.0.2.7']);
    expect(proxies.seenThrough(raw).clientAddress).toBe('10.1.1.1');
  });
});

describe('the scheme behind proxies', () => {
  it.each([
    [['https'], true],
    [['HTTPS'], true],
    [['https, https'], true],
    [['http'], false],
    [['https, http'], false],
    [['http', 'https'], false],
    [[], false],
    [[''], false],
  ])('%j is secure: %s', (values, isSecure) => {
    const headers = values.map((value) => ['x-forwarded-proto', value] as const);
    expect(proxies.seenThrough(request('10.1.1.1', ...headers)).isSecure).toBe(isSecure);
  });
});

describe('the scheme of a connection with TLS', () => {
  const seen = (peer: string, ...headers: readonly Header[]): boolean =>
    proxies.seenThrough({ ...request(peer, ...headers), isSecure: true }).isSecure;

  it('is that of a client that connects itself, also from the addresses of proxies', () => {
    expect(seen('192.0.2.9')).toBe(true);
    expect(seen('10.1.1.1')).toBe(true);
  });

  it('is what the proxy says of a client behind it, and not secure where it says nothing', () => {
    expect(seen('10.1.1.1', ['x-forwarded-proto', 'https'])).toBe(true);
    expect(seen('10.1.1.1', ['x-forwarded-proto', 'http'])).toBe(false);
    expect(seen('10.1.1.1', ['x-forwarded-for', '192.0.2.7'])).toBe(false);
    expect(seen('10.1.1.1', ['x-forwarded-host', 's3.example.com'])).toBe(false);
  });

  it('does not depend on what anyone else claims', () => {
    expect(seen('192.0.2.9', ['x-forwarded-proto', 'http'])).toBe(true);
  });
});

describe('the host behind proxies', () => {
  it('is what the client signed', () => {
    const seen = proxies.seenThrough(request('10.1.1.1', ['x-forwarded-host', 's3.example.com:9000']));
    expect(seen.headers.getAll('host')).toEqual(['s3.example.com:9000']);
  });

  it.each([['a.example, b.example'], [''], ['a b'], ['a/b'], ['a\u0000'], ['a'.repeat(300)]])(
    'is refused when it is %j',
    (host) => {
      expect(codeOf(() => proxies.seenThrough(request('10.1.1.1', ['x-forwarded-host', host])))).toBe(
        'InvalidRequest',
      );
    },
  );

  it('is refused when it is given twice', () => {
    const raw = request('10.1.1.1', ['x-forwarded-host', 'a'], ['x-forwarded-host', 'a']);
    expect(codeOf(() => proxies.seenThrough(raw))).toBe('InvalidRequest');
  });
});
