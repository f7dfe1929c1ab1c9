import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-document.ts';
import { Secret } from '../../src/core/secret.ts';
import { readUnverifiedToken } from '../../src/identity/unverified-token.ts';
import { openAuthorizationMessage } from '../../src/tokens/authorization-message.ts';
import { encodeHeader, encryptCompact } from '../../src/tokens/compact-jwe.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { sessionTokenType } from '../../src/tokens/seal.ts';
import { type Frames, superLinear } from '../support/hostile-texts.ts';

const inYaml: Frames = [
  (text) => text,
  (text) => `a: ${text}`,
  (text) => `a: "${text}"`,
  (text) => `a: '${text}'`,
  (text) => `a: [${text}]`,
  (text) => `a: {${text}}`,
  (text) => `a: |\n  ${text}`,
  (text) => `%${text}\n---\na`,
  (text) => `? ${text}\n: b`,
];

describe('steps at most double with the length of', () => {
  it('YAML', async () => {
    expect(await superLinear(parseYaml, inYaml, 1_000)).toEqual([]);
  });

  it('YAML in which every member is looked up', async () => {
    const read = (text: string): void => {
      const { document } = parseYaml(text);
      for (const key of Object.keys(Object(document?.value))) document?.positionOf([key]);
    };
    expect(await superLinear(read, [(text) => text], 1_000)).toEqual([]);
  });

  const base64url = (text: string): string => Buffer.from(text).toString('base64url');

  it('a web identity token', async () => {
    const frames: Frames = [
      (text) => text,
      (text) => `a.${text}`,
      (text) => `${base64url('{}')}.${text}.a`,
      (text) => `${base64url(text)}.${base64url('{}')}.a`,
      (text) => `${base64url('{}')}.${base64url(`{"iss":${text}}`)}.a`,
      (text) => `${base64url('{}')}.${base64url(`{"iss":"a","aud":[${text}]}`)}.a`,
    ];
    expect(await superLinear(readUnverifiedToken, frames)).toEqual([]);
  });

  it('a session token, and an authorization message', async () => {
    const secret = new Secret(Buffer.alloc(32, 1).toString('base64'));
    const ring = createKeyRing([{ id: 'a', secret }], 'a');
    const opener = new SessionOpener(ring);
    const header = { alg: 'dir', enc: 'A256GCM', kid: 'a', typ: sessionTokenType };
    const sealed = (text: string): string =>
      encryptCompact(encodeHeader(header), createSecretKey(ring.sealWith.sessionTokens), text);
    const frames: Frames = [
      (text) => text,
      (text) => `${base64url(text)}....`,
      (text) => `${base64url(JSON.stringify({ ...header, more: text }))}....`,
      (text) => `${encodeHeader(header)}..${text}.${text}.a`,
      sealed,
    ];
    expect(await superLinear((text) => opener.open(text), frames, 1_500)).toEqual([]);
    expect(await superLinear((text) => openAuthorizationMessage(text, ring, 0), frames, 1_500)).toEqual([]);
  });
});
