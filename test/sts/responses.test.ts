import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import type { RawRequest } from '../../src/core/raw-request.ts';
import { renderStsError } from '../../src/sts/error-xml.ts';
import { stsError } from '../../src/sts/errors.ts';
import { renderStsResult, type StsResult } from '../../src/sts/response-xml.ts';
import { toRawRequest } from '../support/raw-requests.ts';

interface Sample {
  readonly name: string;
  readonly requestId: string;
  readonly xml: string;
  readonly json: unknown;
}
interface Vectors {
  readonly results: readonly (Sample & { action: string; result: StsResult })[];
  readonly errors: readonly (Sample & { code: string; message: string; status: number })[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../vectors/sts/documented-responses.json', import.meta.url), 'utf8'),
  (_, value) => (typeof value?.$date === 'string' ? new Date(value.$date) : value),
);

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

function request(requestId: string, ...accept: readonly string[]): RawRequest {
  const headers = accept.map((value): [string, string] => ['accept', value]);
  const raw = toRawRequest({ method: 'POST', target: '/', headers });
  if (raw === undefined) throw new Error('unreadable');
  return { ...raw, requestId };
}

describe('documented responses', () => {
  it.each(vectors.results)('$name in XML and JSON', ({ action, requestId, result, xml, json }) => {
    expect(renderStsResult(action, result, request(requestId))).toEqual({
      status: 200,
      contentType: 'text/xml',
      body: declaration + xml,
    });
    const asJson = renderStsResult(action, result, request(requestId, 'application/json'));
    expect([asJson.contentType, JSON.parse(asJson.body)]).toEqual(['application/json', json]);
  });

  it.each(vectors.errors)('$name in XML and JSON', ({ code, message, status, requestId, xml, json }) => {
    const error =
      code === 'InternalFailure' ? new Error('a detail') : stsError(code as 'AccessDenied', message);
    const response = renderStsError(error, request(requestId));
    expect(response).toMatchObject({
      status,
      errorCode: code,
      contentType: 'text/xml',
      body: declaration + xml,
    });
    const asJson = renderStsError(error, request(requestId, 'application/json'));
    expect([asJson.status, asJson.contentType, JSON.parse(asJson.body)]).toEqual([
      status,
      'application/json',
      json,
    ]);
  });
});

describe('the form of an answer', () => {
  it.each([
    [['application/json'], 'application/json'],
    [['Application/JSON; charset=utf-8'], 'application/json'],
    [['*/*', 'application/json'], 'application/json'],
    [['application/json, text/xml'], 'application/json'],
    [['text/xml, application/json'], 'text/xml'],
    [['*/*'], 'text/xml'],
    [['application/jsonp'], 'text/xml'],
    [[], 'text/xml'],
  ])('for Accept %j is %s', (accept, contentType) => {
    expect(renderStsResult('A', {}, request('r', ...accept)).contentType).toBe(contentType);
  });

  it('echoes markup escaped and characters that XML forbids as U+FFFD', () => {
    const { body } = renderStsError(stsError('ValidationError', 'a<b>&\u0001\ud800'), request('r'));
    expect(body).toContain('<Message>a&lt;b&gt;&amp;\ufffd\ufffd</Message>');
  });

  it('leaves out members that have no value', () => {
    const { body } = renderStsResult('A', { Here: 0, Gone: undefined }, request('r'));
    expect(body).toContain('<AResult><Here>0</Here></AResult>');
  });
});

describe('an unforeseen failure', () => {
  it('is a 500 that reveals nothing, with the cause for the log', () => {
    const response = renderStsError(new TypeError('secret-of-alice is broken'), request('r'));
    expect(response).toMatchObject({ status: 500, errorCode: 'InternalFailure' });
    expect(response.body).not.toContain('alice');
    expect(response.body).toContain('<Type>Receiver</Type>');
    expect(response.errorDetail).toContain('alice');
  });

  it('keeps the detail of a typed error out of the answer', () => {
    const response = renderStsError(stsError('AccessDenied', undefined, { detail: 'no role' }), request('r'));
    expect(response.body).not.toContain('no role');
    expect(response.errorDetail).toBe('no role');
  });
});

describe('a failed authentication', () => {
  const render = (...fault: ConstructorParameters<typeof AuthenticationFault>): [string, number, string] => {
    const { body, status, errorCode } = renderStsError(new AuthenticationFault(...fault), request('r'));
    return [errorCode, status, /<Message>(.*)<\/Message>/.exec(body)?.[1] ?? ''];
  };

  it.each([
    ['no_credentials', 'MissingAuthenticationToken', 403],
    ['several_credentials', 'IncompleteSignature', 400],
    ['signature_v2', 'IncompleteSignature', 400],
    ['signature_v4a', 'IncompleteSignature', 400],
    ['malformed_presigned', 'IncompleteSignature', 400],
    ['presigned_not_yet_valid', 'SignatureDoesNotMatch', 403],
    ['presigned_expired', 'SignatureDoesNotMatch', 403],
    ['malformed_form', 'MalformedQueryString', 404],
    ['duplicate_header', 'IncompleteSignature', 400],
    ['malformed_authorization', 'IncompleteSignature', 400],
    ['region_not_allowed', 'RegionDisabledException', 403],
    ['date_missing', 'IncompleteSignature', 400],
    ['scope_date_mismatch', 'SignatureDoesNotMatch', 403],
    ['clock_skew', 'SignatureDoesNotMatch', 403],
    ['payload_hash_missing', 'SignatureDoesNotMatch', 403],
    ['payload_hash_invalid', 'SignatureDoesNotMatch', 403],
    ['payload_hash_mismatch', 'SignatureDoesNotMatch', 403],
    ['streaming_unsupported', 'SignatureDoesNotMatch', 403],
    ['streaming_not_allowed', 'SignatureDoesNotMatch', 403],
    ['headers_not_signed', 'SignatureDoesNotMatch', 403],
    ['unknown_access_key', 'InvalidClientTokenId', 403],
    ['invalid_token', 'InvalidClientTokenId', 403],
    ['expired_token', 'ExpiredToken', 403],
    ['revoked_token', 'ExpiredToken', 403],
    ['signature_mismatch', 'SignatureDoesNotMatch', 403],
  ] as const)('%s is %s %i', (reason, code, status) => {
    expect(render(reason).slice(0, 2)).toEqual([code, status]);
  });

  it('names the first unsigned header', () => {
    expect(render('headers_not_signed', { headersNotSigned: ['x-amz-date', 'host'] })[2]).toBe(
      "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.",
    );
  });

  it('says which way the clock is off', () => {
    const serverTime = new Date('2026-11-22T12:00:00Z');
    expect(render('clock_skew', { serverTime, requestTime: new Date('2026-11-22T11:44:59Z') })[2]).toBe(
      'Signature expired: 20261122T114459Z is now earlier than 20261122T114500Z (20261122T120000Z - 15 min.)',
    );
    expect(render('clock_skew', { serverTime, requestTime: new Date('2026-11-22T12:15:01Z') })[2]).toBe(
      'Signature not yet current: 20261122T121501Z is still later than 20261122T121500Z (20261122T120000Z + 15 min.)',
    );
  });

  it('shows neither what was computed nor which check failed', () => {
    const facts = {
      stringToSign: 'string',
      canonicalRequest: 'canonical',
      detail: 'unknown user',
      accessKeyId: 'AKIAX',
    };
    for (const reason of ['signature_mismatch', 'invalid_token', 'unknown_access_key'] as const) {
      const response = renderStsError(new AuthenticationFault(reason, facts), request('r'));
      expect(response.body).not.toMatch(/canonical|unknown user|AKIAX/);
      expect(response).toMatchObject({ authenticationReason: reason, accessKeyId: 'AKIAX' });
    }
  });
});
