import { hkdfSync, randomBytes } from 'node:crypto';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import {
  type AuthorizationFailure,
  encodeFailure,
  type FailureContextEntry,
  maxFailureBytes,
} from '../../src/tokens/authorization-failure.ts';
import {
  authorizationMessageLifetimeMs,
  authorizationMessageType,
  maxAuthorizationMessageLength,
  type OpenedAuthorizationMessage,
  openAuthorizationMessage,
  sealAuthorizationMessage,
} from '../../src/tokens/authorization-message.ts';
import { createKeyRing, type KeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { sealSession, sessionTokenType } from '../../src/tokens/seal.ts';
import { decodeClaims, encodeClaims } from '../../src/tokens/session-claims.ts';

const ringKey = (): Secret => new Secret(randomBytes(32).toString('base64'));
const first = { id: 'first', secret: ringKey() };
const second = { id: 'second', secret: ringKey() };
const ring = createKeyRing([first], 'first');
const deniedAtMs = Date.parse('2026-11-23T06:30:00.250Z');

function failure(changes: Partial<AuthorizationFailure> = {}): AuthorizationFailure {
  return {
    principal: { arn: 'arn:aws:sts::123456789012:assumed-role/reader/alice', userId: 'AROAEXAMPLE:alice' },
    action: 's3:DeleteObject',
    resource: 'arn:aws:s3:::data/a.txt',
    isExplicitDeny: true,
    policyType: 'session',
    statement: { policy: 'session policy', sid: 'NoDeletes', index: 2 },
    context: [
      ['aws:SourceIp', '192.0.2.7'],
      ['aws:TagKeys', ['team', 'stage']],
    ],
    requestId: 'REQUEST1',
    deniedAtMs,
    ...changes,
  };
}

const open = (text: string, keys: KeyRing = ring, nowMs = deniedAtMs): OpenedAuthorizationMessage =>
  openAuthorizationMessage(text, keys, nowMs);

async function conditionsOf(text: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const opened = await open(text);
  if (!opened.ok) throw new Error(opened.reason);
  const { items } = opened.document.context.conditions;
  return new Map(items.map(({ key, values }) => [key, values.items.map(({ value }) => value)]));
}

/** Encrypts under the key of hour 1, or another, with any header and content. */
async function forge(
  header: Record<string, unknown>,
  plaintext: string = encodeFailure(failure()),
  key: Uint8Array = hourKey,
): Promise<string> {
  return new CompactEncrypt(Buffer.from(plaintext))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: 'first', ...header })
    .encrypt(key);
}

const messagesKey = ring.sealWith.authorizationMessages;
const hourKey = new Uint8Array(hkdfSync('sha256', messagesKey, '', 'authorization-message/v1/1', 32));

describe('authorization messages', () => {
  it('open to the document of AWS, with the statement by name only', async () => {
    expect(await open(sealAuthorizationMessage(failure(), ring))).toEqual({
      ok: true,
      document: {
        allowed: false,
        explicitDeny: true,
        matchedStatements: {
          items: [
            {
              statementId: 'NoDeletes',
              effect: 'DENY',
              sourcePolicyId: 'session policy',
              sourcePolicyType: 'session',
              statementIndex: 2,
            },
          ],
        },
        failures: { items: [] },
        context: {
          principal: {
            id: 'AROAEXAMPLE:alice',
            arn: 'arn:aws:sts::123456789012:assumed-role/reader/alice',
          },
          action: 's3:DeleteObject',
          resource: 'arn:aws:s3:::data/a.txt',
          conditions: {
            items: [
              { key: 'aws:SourceIp', values: { items: [{ value: '192.0.2.7' }] } },
              { key: 'aws:TagKeys', values: { items: [{ value: 'team' }, { value: 'stage' }] } },
            ],
          },
        },
        denial: {
          policyType: 'session',
          isDecided: true,
          requestId: 'REQUEST1',
          deniedAt: '2026-11-23T06:30:00Z',
        },
      },
    });
  });

  it('match no statement when only an allow is missing, and an empty Sid when there is none', async () => {
    const implicit = await open(
      sealAuthorizationMessage(failure({ isExplicitDeny: false, statement: undefined }), ring),
    );
    expect(implicit).toMatchObject({ document: { explicitDeny: false, matchedStatements: { items: [] } } });
    const unnamed = await open(
      sealAuthorizationMessage(failure({ statement: { policy: 'p', index: 0 } }), ring),
    );
    expect(unnamed).toMatchObject({ document: { matchedStatements: { items: [{ statementId: '' }] } } });
  });

  const nearMiss = {
    policyType: 'identity',
    statement: { policy: 'arn:aws:iam::123456789012:policy/ReadReports', index: 1 },
    text: 'Statement ReadReports[1]: StringLike s3:prefix `red/` does not match `blue/*`',
  };

  it('carry a near miss beside the documented members', async () => {
    const text = sealAuthorizationMessage(
      failure({ isExplicitDeny: false, statement: undefined, nearMiss }),
      ring,
    );
    expect(await open(text)).toMatchObject({
      document: {
        failures: { items: [] },
        denial: {
          nearMiss: {
            statementId: '',
            sourcePolicyId: 'arn:aws:iam::123456789012:policy/ReadReports',
            sourcePolicyType: 'identity',
            statementIndex: 1,
            reason: nearMiss.text,
          },
        },
      },
    });
    expect(await open(sealAuthorizationMessage(failure(), ring))).not.toHaveProperty(
      'document.denial.nearMiss',
    );
  });

  it.each([
    ['half of its statement', (text: string) => text.replace('ReadReports",1,""', 'ReadReports",1')],
    ['no statement', (text: string) => text.replace(/\["arn[^\]]*ReadReports",1,""\]/, '[]')],
    ['a reason that is a list', (text: string) => text.replace(/"Statement .*`"\] *\]$/, '[]]]')],
    ['something more', (text: string) => text.replace(/\] *\]$/, ',0]]')],
  ])('reject a near miss with %s', async (_, change) => {
    const before = encodeFailure(failure({ nearMiss }));
    expect(change(before)).not.toBe(before);
    const text = await forge({ typ: authorizationMessageType, hour: 1 }, change(before));
    expect(await open(text)).toEqual({ ok: false, reason: 'malformed' });
  });

  it('are as long without a near miss as with one, and with one as with another', () => {
    const texts = ['Statement P[0]: a', nearMiss.text, `${nearMiss.text}${'x'.repeat(100)}`];
    const lengths = [undefined, ...texts.map((text) => ({ ...nearMiss, text }))].map(
      (one) => sealAuthorizationMessage(failure({ nearMiss: one }), ring).length,
    );
    expect(new Set(lengths).size).toBe(1);
  });

  it('show nothing of their content', () => {
    for (const part of sealAuthorizationMessage(failure(), ring).split('.')) {
      expect(Buffer.from(part, 'base64url').toString('latin1')).not.toMatch(/alice|data|NoDeletes/);
    }
  });

  it('never look the same twice', () => {
    expect(sealAuthorizationMessage(failure(), ring)).not.toBe(sealAuthorizationMessage(failure(), ring));
  });

  it('are short for a usual request', () => {
    expect(sealAuthorizationMessage(failure(), ring).length).toBeLessThan(1_000);
  });

  it('open until the last millisecond of 24 hours and not after', async () => {
    const text = sealAuthorizationMessage(failure(), ring);
    const end = deniedAtMs + authorizationMessageLifetimeMs;
    expect(authorizationMessageLifetimeMs).toBe(86_400_000);
    expect(await open(text, ring, end - 1)).toMatchObject({ ok: true });
    expect(await open(text, ring, end)).toEqual({ ok: false, reason: 'expired' });
  });

  it('open on both sides of an hour, each hour having a key of its own', async () => {
    const early = sealAuthorizationMessage(failure(), ring);
    const late = sealAuthorizationMessage(failure({ deniedAtMs: deniedAtMs + 3_600_000 }), ring);
    expect(decodeProtectedHeader(early)['hour']).not.toBe(decodeProtectedHeader(late)['hour']);
    expect(await open(early)).toMatchObject({ ok: true });
    expect(await open(late)).toMatchObject({ ok: true });
    const [, ...sealed] = early.split('.');
    expect(await open([late.split('.')[0], ...sealed].join('.'))).toEqual({ ok: false, reason: 'malformed' });
  });

  it('open after rotation while their key is in the ring, and no longer', async () => {
    const text = sealAuthorizationMessage(failure(), ring);
    expect(await open(text, createKeyRing([first, second], 'second'))).toMatchObject({ ok: true });
    expect(await open(text, createKeyRing([second], 'second'))).toEqual({ ok: false, reason: 'unknown_key' });
  });

  it('of another ring that uses the same key id are malformed', async () => {
    const foreign = createKeyRing([{ id: 'first', secret: ringKey() }], 'first');
    expect(await open(sealAuthorizationMessage(failure(), foreign))).toEqual({
      ok: false,
      reason: 'malformed',
    });
  });

  it('are not session tokens, and session tokens are not messages', async () => {
    const claims = decodeClaims(
      encodeClaims({
        sessionId: 's',
        accessKeyId: 'ASIAY34FZKBOKMUTVV7A',
        seed: new Uint8Array(32),
        principal: { kind: 'role-session', roleArn: 'a', roleId: 'r', sessionName: 'n' },
        issuedAt: 1_800_000_000,
        expiresAt: 1_800_003_600,
        policyArns: [],
        tags: [],
      }),
    );
    if (claims === undefined) throw new Error('claims do not decode');
    expect(await open(sealSession(claims, ring))).toEqual({ ok: false, reason: 'malformed' });
    expect(await new SessionOpener(ring).open(sealAuthorizationMessage(failure(), ring))).toBeUndefined();
    expect(authorizationMessageType).not.toBe(sessionTokenType);
  });

  it('of this form open, so that what follows differs in one thing only', async () => {
    expect(await open(await forge({ typ: authorizationMessageType, hour: 1 }))).toMatchObject({ ok: true });
  });

  it.each<[string, Record<string, unknown>]>([
    ['a session token’s type', { typ: sessionTokenType, hour: 1 }],
    ['no type', { hour: 1 }],
    ['no hour', { typ: authorizationMessageType }],
    ['an hour that is text', { typ: authorizationMessageType, hour: '1' }],
    ['another hour', { typ: authorizationMessageType, hour: 2 }],
    ['no key id', { typ: authorizationMessageType, hour: 1, kid: undefined }],
  ])('reject %s', async (_, header) => {
    expect(await open(await forge(header))).toEqual({ ok: false, reason: 'malformed' });
  });

  it('reject what is encrypted under the undivided subkey', async () => {
    const text = await forge({ typ: authorizationMessageType, hour: 1 }, undefined, messagesKey);
    expect(await open(text)).toEqual({ ok: false, reason: 'malformed' });
  });

  it.each([
    ['another version', (text: string) => text.replace('[1,', '[2,')],
    ['a time that is text', (text: string) => text.replace(String(deniedAtMs), '"now"')],
    ['half a statement', (text: string) => text.replace(',2,"NoDeletes"', '')],
    ['a context that is an object', (text: string) => text.replace(/\[\["aws.*\]\]/, '{}')],
    ['a key without a name', (text: string) => text.replace(/\[\["aws.*\]\]/, '[[]]')],
    ['something more', (text: string) => text.replace(/\]$/, ',0]')],
    ['no JSON', () => 'no'],
    ['an object', () => '{}'],
  ])('reject %s', async (_, change) => {
    const before = encodeFailure(failure());
    expect(change(before)).not.toBe(before);
    const text = await forge({ typ: authorizationMessageType, hour: 1 }, change(before));
    expect(await open(text)).toEqual({ ok: false, reason: 'malformed' });
  });

  it('reject a key id that is a property of every object', async () => {
    const text = await forge({ typ: authorizationMessageType, hour: 1, kid: '__proto__' }, '[]');
    expect(await open(text)).toEqual({ ok: false, reason: 'unknown_key' });
  });

  it.each(['', 'x', '....', 'a.b.c.d.e', 'eyJhbGciOiJub25lIn0....', 'é'.repeat(50), 'a'.repeat(10_241)])(
    'reject malformed text %#',
    async (text) => {
      expect(await open(text)).toEqual({ ok: false, reason: 'malformed' });
    },
  );

  it('reject every message with one changed character, wherever it is', async () => {
    const text = sealAuthorizationMessage(failure({ context: [] }), ring);
    for (let index = 0; index < text.length; index += 1) {
      for (const other of ['A', 'B', 'z', '.']) {
        if (text[index] === other) continue;
        const opened = await open(text.slice(0, index) + other + text.slice(index + 1));
        expect(opened.ok, `${other} at ${index}`).toBe(false);
      }
    }
  });

  it('reject another spelling of the same bytes', async () => {
    const text = sealAuthorizationMessage(failure(), ring);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(text.at(-1) ?? '');
    expect(await open(text.slice(0, -1) + alphabet[last ^ 1])).toEqual({ ok: false, reason: 'malformed' });
    expect(await open(`${text}=`)).toEqual({ ok: false, reason: 'malformed' });
    expect(await open(`${text}\n`)).toEqual({ ok: false, reason: 'malformed' });
  });
});

describe('the size of an authorization message', () => {
  const many = (value: string): FailureContextEntry[] =>
    Array.from({ length: 200 }, (_, index) => [`s3:RequestObjectTag/${index}`, value]);
  const everything = (text: string): Partial<AuthorizationFailure> => ({
    principal: { arn: text, userId: text },
    action: text,
    resource: text,
    policyType: text,
    statement: { policy: text, sid: text, index: Number.MAX_SAFE_INTEGER },
    nearMiss: {
      policyType: text,
      statement: { policy: text, sid: text, index: Number.MAX_SAFE_INTEGER },
      text,
    },
    requestId: text,
    context: [[text, text], [text, Array.from({ length: 500 }, () => text)], ...many(text)],
  });

  it.each([
    ['200 long header values', { context: many('x'.repeat(8_000)) }],
    [
      'a key with 10,000 values',
      { context: [['aws:TagKeys', Array.from({ length: 10_000 }, (_, index) => String(index))]] },
    ],
    ['a key of 1,024 control characters', { resource: `arn:aws:s3:::b/${'\u0001'.repeat(1024)}` }],
    ['quotes everywhere', everything('"\\'.repeat(5_000))],
    ['control characters everywhere', everything('\u0000'.repeat(5_000))],
    ['characters of four bytes everywhere', everything('😀'.repeat(5_000))],
    ['characters of three bytes everywhere', everything('€'.repeat(5_000))],
    ['halves of characters everywhere', everything('\ud83d'.repeat(5_000))],
  ] satisfies [string, Partial<AuthorizationFailure>][])('is bounded with %s', async (_, changes) => {
    const longName = createKeyRing([{ id: 'k'.repeat(64), secret: ringKey() }], 'k'.repeat(64));
    const text = sealAuthorizationMessage(failure(changes), longName);
    expect(text.length).toBeLessThanOrEqual(maxAuthorizationMessageLength);
    expect(Buffer.byteLength(encodeFailure(failure(changes)))).toBeLessThanOrEqual(maxFailureBytes);
    expect(await open(text, longName)).toMatchObject({ ok: true });
    expect(encodeFailure(failure(changes))).toBe(encodeFailure(failure(changes)));
  });

  it('never cuts a character in half', async () => {
    for (const length of [168, 169, 170, 171, 172, 173]) {
      const context: FailureContextEntry[] = [['aws:UserAgent', 'a'.repeat(length) + '😀'.repeat(200)]];
      const values = await conditionsOf(sealAuthorizationMessage(failure({ context }), ring));
      expect(values.get('aws:UserAgent')?.[0]).toMatch(/^a+\u{1f600}+…$/u);
    }
  });

  it('keeps the first keys, says how many it left out, and marks what it cut', async () => {
    const context: FailureContextEntry[] = [['aws:SourceIp', '192.0.2.7'], ...many('x'.repeat(8_000))];
    const values = await conditionsOf(sealAuthorizationMessage(failure({ context }), ring));
    expect(values.get('aws:SourceIp')).toEqual(['192.0.2.7']);
    expect(values.get('s3:RequestObjectTag/0')?.[0]).toMatch(/^x{300,}…$/);
    expect(values.get('sts-sidecar:OmittedKeys')).toEqual([String(200 - (values.size - 2))]);
  });

  it('keeps the first of very many values', async () => {
    const context: FailureContextEntry[] = [
      ['aws:TagKeys', Array.from({ length: 10_000 }, (_, index) => String(index))],
    ];
    const values = (await conditionsOf(sealAuthorizationMessage(failure({ context }), ring))).get(
      'aws:TagKeys',
    );
    expect(values?.slice(0, 3)).toEqual(['0', '1', '2']);
    expect(values?.at(-1)).toBe('…');
  });

  it('leaves values that fit exactly alone', async () => {
    const values = await conditionsOf(
      sealAuthorizationMessage(failure({ context: [['aws:UserAgent', 'x'.repeat(512)]] }), ring),
    );
    expect(values.get('aws:UserAgent')).toEqual(['x'.repeat(512)]);
  });
});

describe('what an authorization message never holds', () => {
  it.each([
    ['https://page.example/a?X-Amz-Signature=abc&X-Amz-Security-Token=def', 'https://page.example/a'],
    ['https://user:password@page.example/', '…@page.example/'],
    ['https://page.example/#token=abc', 'https://page.example/'],
  ])('the secret part of the Referer %s', async (referer, shown) => {
    const context: FailureContextEntry[] = [['aws:Referer', referer]];
    const values = await conditionsOf(sealAuthorizationMessage(failure({ context }), ring));
    expect(values.get('aws:Referer')).toEqual([shown]);
  });
});
