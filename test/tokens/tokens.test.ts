import { createCipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { CompactEncrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { systemRandomness } from '../../src/core/randomness.ts';
import { Secret } from '../../src/core/secret.ts';
import { accountOfAccessKeyId, createAccessKeyId } from '../../src/tokens/access-key-id.ts';
import { createKeyRing, type KeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { maxTokenLength, sealSession, sessionTokenType, TokenTooLargeError } from '../../src/tokens/seal.ts';
import { encodeClaims, type SessionClaims } from '../../src/tokens/session-claims.ts';

const ringKey = (): Secret => new Secret(randomBytes(32).toString('base64'));
const first = { id: 'first', secret: ringKey() };
const second = { id: 'second', secret: ringKey() };
const ring = createKeyRing([first], 'first');

function claims(changes: Partial<SessionClaims> = {}): SessionClaims {
  return {
    sessionId: 'session-1',
    accessKeyId: 'ASIAY34FZKBOKMUTVV7A',
    seed: new Uint8Array(randomBytes(32)),
    principal: {
      kind: 'role-session',
      roleArn: 'arn:aws:iam::123456789012:role/reader',
      roleId: 'AROAEXAMPLE',
      sessionName: 'alice',
    },
    issuedAt: 1_800_000_000,
    expiresAt: 1_800_003_600,
    policyArns: [],
    tags: [],
    ...changes,
  };
}

const federation = {
  provider: 'arn:aws:iam::123456789012:oidc-provider/idp',
  subject: 'me',
  audience: 'app',
};

/** Encrypts like the project does, with parts of the header replaced. */
async function forge(
  keys: KeyRing,
  header: Record<string, unknown>,
  plaintext?: Uint8Array,
): Promise<string> {
  return new CompactEncrypt(plaintext ?? deflateRawSync(encodeClaims(claims())))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: 'first', typ: sessionTokenType, ...header })
    .encrypt(keys.sealWith.sessionTokens);
}

describe('opened tokens', () => {
  it('count by what they hold, not by how well it packs', async () => {
    const opener = new SessionOpener(ring);
    const tags = Array.from({ length: 50 }, (_, index) => ({
      key: `${index}`.padEnd(128, 'k'),
      value: 'v'.repeat(256),
      isTransitive: false,
    }));
    const [first = '', ...others] = Array.from({ length: 1_300 }, (_, index) =>
      sealSession(claims({ sessionId: `session-${index}`, tags }), ring),
    );
    const opened = await opener.open(first);
    expect(await opener.open(first)).toBe(opened);
    for (const token of others) await opener.open(token);
    // 1,300 sessions of 19,200 characters are more than a process should keep.
    expect(await opener.open(first)).not.toBe(opened);
  });
});

describe('session tokens', () => {
  it('open to the claims they were sealed with', async () => {
    const sealed = claims({
      policy: '{"Version":"2012-10-17"}',
      policyArns: ['arn:aws:iam::123456789012:policy/p'],
      tags: [{ key: 'team', value: 'blue', isTransitive: true }],
      sourceIdentity: 'alice',
    });
    const opened = await new SessionOpener(ring).open(sealSession(sealed, ring));
    expect(opened?.claims).toEqual({ ...sealed, tokenKeys: ['first'] });
    expect(opened?.secretAccessKey.reveal()).toMatch(/^[A-Za-z0-9+/]{40}$/);
  });

  it('open to the provider that vouched for a web identity', async () => {
    const opened = await new SessionOpener(ring).open(sealSession(claims({ federation }), ring));
    expect(opened?.claims.federation).toEqual(federation);
  });

  it('open to the names of policies, as they were sealed', async () => {
    const policyNames = ['ReadData', 'Write'];
    const opened = await new SessionOpener(ring).open(sealSession(claims({ policyNames }), ring));
    expect(opened?.claims.policyNames).toEqual(policyNames);
    const plain = await new SessionOpener(ring).open(sealSession(claims(), ring));
    expect(plain?.claims).not.toHaveProperty('policyNames');
  });

  it('open when version 0.1.0 wrote their text, and have the same text today', async () => {
    const everything = '"f":["arn:p","app","urn:x","q=","me"],"p":"{}","pa":["arn:m"],"pn":["R"],';
    const texts = [everything, '"pa":[],'].map(
      (middle) =>
        '{"v":1,"id":"s","ak":"ASIAX","sd":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",' +
        '"k":"role-session","ra":"arn:r","ri":"AROAX","sn":"alice","iat":1800000000,"exp":1800003600,' +
        `"si":"ann","ma":1800000000,${middle}"t":[["team","blue",1]]}`,
    );
    for (const text of texts) {
      const opened = await new SessionOpener(ring).open(await forge(ring, {}, deflateRawSync(text)));
      if (opened === undefined) throw new Error('the token does not open');
      const { tokenKeys, ...written } = opened.claims;
      expect([encodeClaims(written), tokenKeys]).toEqual([text, ['first']]);
    }
  });

  it('open only with the keys that sealed the sessions that they descend from, too', () => {
    const both = createKeyRing([first, second], 'second');
    const parent = new SessionOpener(ring).open(sealSession(claims(), ring));
    const { tokenKeys = [] } = parent?.claims ?? {};
    const child = sealSession(claims({ tokenKeys }), both);
    expect(new SessionOpener(both).open(child)?.claims.tokenKeys).toEqual(['second', 'first']);
    const grandchild = sealSession(claims({ tokenKeys: ['second', 'first'] }), both);
    for (const token of [child, grandchild])
      expect(new SessionOpener(createKeyRing([second], 'second')).open(token)).toBeUndefined();
    const ofOneKey = sealSession(claims({ tokenKeys: ['second'] }), both);
    expect(new SessionOpener(createKeyRing([second], 'second')).open(ofOneKey)).toBeDefined();
  });

  it('open to their scope-down policies and to the sessions that they descend from', () => {
    const principal = { kind: 'role-session', roleArn: 'arn:r', sessionName: 'a' } as const;
    const user = { kind: 'user-session', userArn: 'arn:u' } as const;
    const ancestors = [
      { sessionId: 'one', issuedAt: 1_800_000_000, principal },
      { sessionId: 'two', issuedAt: 1_800_000_000, principal },
      { sessionId: 'three', issuedAt: 1_799_999_999, principal, provider: 'arn:p' },
      { sessionId: 'four', issuedAt: 1_799_999_998, principal: user },
    ];
    const sealed = claims({ scopeDown: ['{"Statement":[]}', '{}'], ancestors });
    expect(new SessionOpener(ring).open(sealSession(sealed, ring))?.claims).toEqual({
      ...sealed,
      tokenKeys: ['first'],
    });
  });

  it('name ancestors that are the same but for their id by that alone', () => {
    const { principal, issuedAt } = claims();
    const own = { sessionId: 'parent', issuedAt, principal } as never;
    expect(encodeClaims(claims({ ancestors: [own, own] }))).toContain('"an":["parent","parent"]');
  });

  it('with scope-down policies have a version that earlier releases refuse', () => {
    expect(JSON.parse(encodeClaims(claims({ scopeDown: ['{}'] })))).toMatchObject({ v: 2 });
    expect(JSON.parse(encodeClaims(claims({ ancestors: [] as never })))).toMatchObject({ v: 1 });
  });

  const scopedText = (changes: object): string =>
    JSON.stringify({ ...JSON.parse(encodeClaims(claims({ scopeDown: ['{}'] }))), ...changes });
  it.each<[what: string, changes: object, opens: boolean]>([
    ['three scope-down policies', { sc: ['{}', '{}', '{}'] }, true],
    ['four scope-down policies', { sc: ['{}', '{}', '{}', '{}'] }, false],
    ['no scope-down policy', { sc: [] }, false],
    ['no list of scope-down policies', { sc: undefined }, false],
    ['a scope-down policy that is no text', { sc: [{}] }, false],
    ['an empty scope-down policy', { sc: [''] }, false],
    ['scope-down policies, and the version of claims without them', { v: 1 }, false],
    ['an unknown version', { v: 3 }, false],
    ['an ancestor by its id', { an: ['x'] }, true],
    ['no ancestor in the list', { an: [] }, false],
    ['an ancestor without an id', { an: [''] }, false],
    ['an ancestor that is a role session', { an: [['x', 1, '', 'arn:r', 's']] }, true],
    ['an ancestor without a name', { an: [['x', 1, '', 'arn:r', '']] }, false],
    ['an ancestor without an ARN', { an: [['x', 1, '', '']] }, false],
    ['an ancestor without a time', { an: [['x', 0, '', 'arn:u']] }, false],
    ['an ancestor with one more member', { an: [['x', 1, '', 'arn:r', 's', 't']] }, false],
    ['ancestors that are no list', { an: 'x' }, false],
  ])('with %s open: %s', async (_, changes, opens) => {
    const token = await forge(ring, {}, deflateRawSync(scopedText(changes)));
    expect(new SessionOpener(ring).open(token) !== undefined).toBe(opens);
  });

  it('are kept once opened, until another opener has taken the place', () => {
    const opener = new SessionOpener(ring);
    const token = sealSession(claims(), ring);
    const before = opener.open(token);
    expect(opener.open(token)).toBe(before);
    opener.forget();
    expect(opener.open(token)).not.toBe(before);
    expect(opener.open(token)).toBe(opener.open(token));
    opener.retire();
    const after = opener.open(token);
    expect(after).not.toBe(before);
    expect(opener.open(token)).not.toBe(after);
    expect(after).toEqual(before);
  });

  it('are padded to a length that says nothing about their claims', () => {
    const opener = new SessionOpener(ring);
    for (const wanted of [600, 1_001, 2_048, 3_999, 4_096]) {
      const lengths = new Set<number>();
      for (let size = 0; size < wanted; size += 7) {
        const sealed = claims({ policy: randomBytes(size).toString('base64') });
        const natural = sealSession(sealed, ring).length;
        const token = sealSession(sealed, ring, wanted);
        expect(token.length).toBeGreaterThanOrEqual(wanted);
        expect(opener.open(token)?.claims).toEqual({ ...sealed, tokenKeys: ['first'] });
        if (natural < wanted) lengths.add(token.length);
        else expect(token.length).toBe(natural);
      }
      expect(lengths.size).toBe(1);
      expect(Math.max(...lengths) - wanted).toBeLessThan(32);
    }
    const same = claims();
    expect(sealSession(same, ring, 0)).toHaveLength(sealSession(same, ring).length);
  });

  it('open when they are padded, however large their claims are unpacked', () => {
    const large = claims({ policy: '語'.repeat(21_600) });
    const token = sealSession(large, ring, 4_096);
    expect(token.length).toBeGreaterThanOrEqual(4_096);
    expect(new SessionOpener(ring).open(token)?.claims).toEqual({ ...large, tokenKeys: ['first'] });
  });

  it('show nothing of their claims', async () => {
    const token = sealSession(claims({ policy: '{"Sid":"visible"}' }), ring);
    for (const part of token.split('.')) {
      expect(Buffer.from(part, 'base64url').toString('latin1')).not.toMatch(/alice|reader|visible/);
    }
  });

  it('are at most 1 KiB for a typical session', async () => {
    expect(sealSession(claims(), ring).length).toBeLessThanOrEqual(1024);
  });

  it('keep opening after rotation while their key is in the ring, and no longer', async () => {
    const token = sealSession(claims(), ring);
    const rotated = createKeyRing([first, second], 'second');
    expect(await new SessionOpener(rotated).open(token)).toBeDefined();
    expect(await new SessionOpener(createKeyRing([second], 'second')).open(token)).toBeUndefined();
    expect(sealSession(claims(), rotated)).not.toBe(token);
  });

  it('reject a token of another ring that uses the same key id', async () => {
    const foreign = createKeyRing([{ id: 'first', secret: ringKey() }], 'first');
    expect(await new SessionOpener(ring).open(sealSession(claims(), foreign))).toBeUndefined();
  });

  it.each([
    ['another type', { typ: 'sts-message+jwe' }],
    ['no type', { typ: undefined }],
    ['an unknown key id', { kid: 'third' }],
    ['a key id that is a property of every object', { kid: '__proto__' }],
  ])('reject %s', async (_, header) => {
    expect(await new SessionOpener(ring).open(await forge(ring, header))).toBeUndefined();
  });

  it('open in one spelling only, before and after they were seen', async () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let length = 0; length < 8; length += 1) {
      const token = sealSession(claims({ policy: 'x'.repeat(length) }), ring);
      const opener = new SessionOpener(ring);
      const parts = token.split('.');
      const spellings = parts.flatMap((part, index) => {
        const respell = (text: string): string => parts.with(index, text).join('.');
        // The last letter of a part may have bits that a lenient decoder skips.
        const others = [...letters].map((letter) => respell(part.slice(0, -1) + letter));
        return [
          ...(part === '' ? [] : others),
          ...['=', '==', ' ', '\n', '%', 'A'].map((end) => respell(part + end)),
        ];
      });
      const others = spellings.filter((one) => one !== token);
      for (const one of others) expect(await opener.open(one)).toBeUndefined();
      expect(await opener.open(token)).toBeDefined();
      for (const one of [...others, ` ${token}`, `${token}\n`, `${token}.`, `.${token}`]) {
        expect(await opener.open(one)).toBeUndefined();
      }
    }
  });

  it('reject an authorization message: it is encrypted under another subkey', async () => {
    const messages: KeyRing = {
      sealWith: { ...ring.sealWith, sessionTokens: ring.sealWith.authorizationMessages },
      find: ring.find,
    };
    expect(await new SessionOpener(ring).open(await forge(messages, {}))).toBeUndefined();
  });

  it.each([
    ['a bomb that inflates past 64 KiB', deflateRawSync(Buffer.alloc(1_000_000, 0x20))],
    ['text that is not deflated', Buffer.from(encodeClaims(claims()))],
    ['claims of another version', deflateRawSync(encodeClaims(claims()).replace('"v":1', '"v":2'))],
    ['claims without an expiry', deflateRawSync(encodeClaims(claims()).replace(/"exp":\d+,/, ''))],
    ['claims with a short seed', deflateRawSync(encodeClaims(claims({ seed: new Uint8Array(16) })))],
    ['half a federation', deflateRawSync(encodeClaims(claims({ federation })).replace('"app",', ''))],
    [
      'an empty federation',
      deflateRawSync(encodeClaims(claims({ federation })).replace(/"f":\[.*?\]/, '"f":[]')),
    ],
    [
      'an invalid federation',
      deflateRawSync(encodeClaims(claims({ federation })).replace(/"f":\[.*?\]/, '"f":null')),
    ],
    ...['null', '"Read"', '[1]', '[""]', '{}'].map((names): [string, Buffer] => [
      `the names of policies ${names}`,
      deflateRawSync(encodeClaims(claims({ policyNames: ['Read'] })).replace('["Read"]', names)),
    ]),
    ['a JSON array', deflateRawSync('[]')],
  ])('reject %s', async (_, plaintext) => {
    expect(await new SessionOpener(ring).open(await forge(ring, {}, plaintext))).toBeUndefined();
  });

  it.each(['', 'x', 'a.b.c.d.e', 'eyJhbGciOiJub25lIn0....', 'é'.repeat(50), 'a'.repeat(maxTokenLength + 1)])(
    'reject malformed text %#',
    async (text) => {
      expect(await new SessionOpener(ring).open(text)).toBeUndefined();
    },
  );

  it('reject every token with one changed character in header, ciphertext or tag', async () => {
    const token = sealSession(claims(), ring);
    const opener = new SessionOpener(ring);
    const positions = [5, token.lastIndexOf('.') - 5, token.lastIndexOf('.') + 3];
    for (const position of positions) {
      const changed = token[position] === 'A' ? 'B' : 'A';
      expect(
        await opener.open(token.slice(0, position) + changed + token.slice(position + 1)),
      ).toBeUndefined();
    }
  });

  // With four bytes of the tag, one guess in four billion would be right.
  it.each([4, 8, 12, 15, 17, 32])('reject a tag of %i bytes', (length) => {
    const token = sealSession(claims(), ring);
    const [header, , nonce, text, tag = ''] = token.split('.');
    const whole = Buffer.concat([Buffer.from(tag, 'base64url'), Buffer.alloc(16)]);
    const shown = whole.subarray(0, length).toString('base64url');
    expect(new SessionOpener(ring).open([header, '', nonce, text, shown].join('.'))).toBeUndefined();
  });

  it.each([
    [11, false],
    [12, true],
    [13, false],
    [16, false],
  ])('with a nonce of %i bytes, and the tag that belongs to it, open: %s', (length, opens) => {
    const [header = ''] = sealSession(claims(), ring).split('.');
    const nonce = Buffer.alloc(length, 1);
    const cipher = createCipheriv('aes-256-gcm', ring.sealWith.sessionTokens, nonce).setAAD(
      Buffer.from(header),
    );
    const text = Buffer.concat([cipher.update(deflateRawSync(encodeClaims(claims()))), cipher.final()]);
    const parts = [nonce, text, cipher.getAuthTag()].map((part) => part.toString('base64url'));
    expect(new SessionOpener(ring).open([header, '', ...parts].join('.')) !== undefined).toBe(opens);
  });

  it('refuse to be sealed past the length a header can carry', async () => {
    const policy = randomBytes(8000).toString('hex');
    expect(() => sealSession(claims({ policy }), ring)).toThrow(TokenTooLargeError);
  });
});

describe('secrets', () => {
  it('differ between two sessions forced onto one access key id', async () => {
    const opener = new SessionOpener(ring);
    const one = await opener.open(sealSession(claims(), ring));
    const two = await opener.open(sealSession(claims(), ring));
    expect(one?.claims.accessKeyId).toBe(two?.claims.accessKeyId);
    expect(one?.secretAccessKey.reveal()).not.toBe(two?.secretAccessKey.reveal());
  });

  it('never show in text, JSON or inspection', () => {
    const secret = new Secret('do-not-show');
    expect(
      `${secret} ${JSON.stringify({ secret })} ${inspect({ secret }, { showHidden: true })}`,
    ).not.toContain('do-not-show');
  });
});

describe('access key ids', () => {
  it('carry the account (vector of a live AWS account)', () => {
    expect(accountOfAccessKeyId('ASIAY34FZKBOKMUTVV7A')).toBe('609629065308');
  });

  it.each(['000000000001', '123456789012', '999999999999'])('round-trip account %s', (account) => {
    const id = createAccessKeyId('ASIA', account, systemRandomness);
    expect(id).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(accountOfAccessKeyId(id)).toBe(account);
  });

  it.each([
    'AKIAIOSFODNN7EXAMPLE',
    'AKIA',
    'ASIAY34FZKBOKMUTVV7',
    'ASIA7777777777777777',
    'asiay34fzkbokmutvv7a',
  ])('carry no account in the form %s', (id) => {
    expect(accountOfAccessKeyId(id)).toBeUndefined();
  });
});
