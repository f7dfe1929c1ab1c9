import { describe, expect, it } from 'vitest';
import { requireSignature } from '../../src/authenticate/scheme.ts';
import { HeaderList } from '../../src/core/header-list.ts';
import { type RawRequest, readRawRequest } from '../../src/core/raw-request.ts';
import { parseCopySource } from '../../src/s3/copy-source.ts';
import { FormReader } from '../../src/s3/form/form-fields.ts';
import { requirePolicy } from '../../src/s3/form/post-policy.ts';
import { route } from '../../src/s3/route.ts';
import { parseFormTags } from '../../src/s3/tagging-header.ts';
import { parseAuthorizationHeader } from '../../src/sigv4/authorization-header.ts';
import { canonicalRequest } from '../../src/sigv4/canonical-request.ts';
import { readPresignedQuery } from '../../src/sigv4/presigned-query.ts';
import { parseSignedHeaders } from '../../src/sigv4/signed-header-names.ts';
import { readParameters, stsParameters } from '../../src/sts/parameters.ts';
import { isStsRequest, readStsCall } from '../../src/sts/query-request.ts';
import { vectorSettings } from '../s3/vectors.ts';
import { type Frames, superLinear } from '../support/hostile-texts.ts';

const facts = { clientAddress: '192.0.2.1', isSecure: false, receivedAtMs: 0, requestId: 'r' };

function received(url: string, headers: readonly string[] = [], method = 'GET'): RawRequest {
  const raw = readRawRequest({ method, url, rawHeaders: ['Host', 'localhost', ...headers] }, facts);
  if (raw === undefined) throw new Error('unreadable');
  return raw;
}

/** Every header that something is read from, with that text. */
const headersWith = (text: string): string[] =>
  [
    'Authorization',
    'Content-Type',
    'X-Amz-Copy-Source',
    'X-Amz-Tagging',
    'X-Amz-Date',
    'If-Match',
    'X-Amz-Acl',
  ].flatMap((name) => [name, text]);
/** As many fields as the text has characters. */
const fieldsOf = (text: string): string[] =>
  Array.from(text.slice(0, 2_000)).flatMap((character, index) => [`x-amz-meta-${index}`, character]);

describe('steps at most double with the length of', () => {
  it('the head of a request', async () => {
    const read = (text: string): void => {
      const raw = received(text, [...headersWith(text), ...fieldsOf(text)]);
      const names = new Set(Array.from(raw.headers, ({ name }) => name).slice(0, 100));
      const signedHeaders = parseSignedHeaders([...names].join(';'));
      if (signedHeaders !== undefined) canonicalRequest({ ...raw, signedHeaders, payloadHash: '' });
    };
    expect(await superLinear(read, [(text) => `/${text}`, (text) => `/?${text}`, () => '/'])).toEqual([]);
  });

  it('the fields of a form, also in small pieces', async () => {
    const disposition = 'Content-Disposition: form-data; name=';
    const frames: Frames = [
      (text) => text,
      (text) => `--b\r\n${text}`,
      (text) => `--b\r\n${disposition}${text}`,
      (text) => `--b\r\n${disposition}"key"\r\n\r\n${text}`,
      (text) => `--b\r\n${disposition}"key"\r\n\r\n${text}\r\n--b\r\n${disposition}"file"\r\n\r\n`,
    ];
    const read = (text: string): void => {
      const bytes = Buffer.from(text);
      for (const step of [7, bytes.length]) {
        const reader = new FormReader('--b');
        for (let end = step; end < bytes.length + step; end += step) reader.read(bytes.subarray(0, end));
      }
    };
    expect(await superLinear(read, frames)).toEqual([]);
  });

  it('the policy of a form', async () => {
    const fields = new Map(Array.from({ length: 100 }, (_, at) => [`x-amz-meta-${at}`, String(at)]));
    const form = { fields, bucket: 'data', fileLength: 0, receivedAtMs: 0 };
    const frames: Frames = [
      (text) => text,
      (text) => JSON.stringify({ expiration: text, conditions: [] }),
      (text) =>
        JSON.stringify({
          expiration: '2100-01-01T00:00:00Z',
          conditions: [{ [text]: text }, ['eq', `$${text}`, text]],
        }),
      (text) =>
        JSON.stringify({
          expiration: '2100-01-01T00:00:00Z',
          conditions: Array.from(text, () => ({ a: 'b' })),
        }),
    ];
    const read = (text: string): void => requirePolicy(Buffer.from(text).toString('base64'), form);
    expect(await superLinear(read, frames)).toEqual([]);
  });

  it('the head of an S3 request', async () => {
    const frames: Frames = [
      (text) => `/b/${text}`,
      (text) => `/b/k?${text}`,
      (text) => `/b/k?prefix=${text}`,
      () => '/b/k',
    ];
    const read = (text: string): unknown =>
      route(received(text, headersWith(text.slice(6)), 'PUT'), vectorSettings);
    expect(await superLinear(read, frames)).toEqual([]);
  });

  it('the credentials of a request', async () => {
    const rules = { service: 's3', payloadHash: 'required', allowsStreaming: true } as const;
    const read = (text: string): void => {
      requireSignature(received('/', headersWith(text)));
      readPresignedQuery(received(`/?${text}`), rules);
    };
    const parts: Frames = [
      (text) => text,
      (text) => `AWS4-HMAC-SHA256 ${text}`,
      (text) => `AWS4-HMAC-SHA256 Credential=${text}, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      (text) =>
        `AWS4-HMAC-SHA256 Credential=A/20260101/r/s3/aws4_request, SignedHeaders=${text}, Signature=${'0'.repeat(64)}`,
      (text) =>
        `AWS4-HMAC-SHA256 Credential=A/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=${text}`,
    ];
    expect(await superLinear(parseAuthorizationHeader, parts)).toEqual([]);
    expect(
      await superLinear(read, [
        ...parts,
        (text) => `X-Amz-Credential=${text}`,
        (text) => `X-Amz-SignedHeaders=${text}`,
      ]),
    ).toEqual([]);
    expect(await superLinear((text) => requireSignature(received(`/?${text}`)))).toEqual([]);
  });

  it('a header that has a form of its own', async () => {
    expect(await superLinear(parseFormTags)).toEqual([]);
    expect(
      await superLinear(parseCopySource, [
        (text) => text,
        (text) => `/b/${text}`,
        (text) => `b/k?versionId=${text}`,
      ]),
    ).toEqual([]);
    expect(await superLinear((text) => HeaderList.fromRaw(['a', text, text, 'b']))).toEqual([]);
  });

  it('an STS form', async () => {
    const type = ['Content-Type', 'application/x-www-form-urlencoded'];
    const read = (text: string): void => {
      const raw = received('/', type, 'POST');
      const { parameters } = readStsCall(raw, Buffer.from(text));
      readParameters(parameters, stsParameters);
    };
    const start = 'Action=A&Version=2011-06-15';
    const frames = [
      (text: string) => text,
      ...[
        '',
        'Policy=',
        'Tags.member.1.Key=',
        'PolicyArns',
        'RoleArn=',
        'SAMLAssertion=',
        'WebIdentityAccessToken=',
      ].map((name) => (text: string) => `${start}&${name}${text}`),
      ...[
        'Policy=',
        'ExternalId=',
        'SourceIdentity=',
        'Tags.member.1.Value=',
        'TokenCode=',
        'DurationSeconds=',
      ].map((name) => (text: string) => `${start}&${name}${encodeURIComponent(text)}`),
    ];
    expect(await superLinear(read, frames)).toEqual([]);
    expect(
      await superLinear((text) =>
        isStsRequest(received('/', ['Authorization', text, 'Content-Type', text], 'POST')),
      ),
    ).toEqual([]);
  });
});
