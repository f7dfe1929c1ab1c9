import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askForTurn, nextTurn } from '../../src/core/turns.ts';
import { Place } from '../../src/edge/place.ts';
import { RequestTrace } from '../../src/edge/request-trace.ts';
import { ConfiguredProviders } from '../../src/identity/configured-providers.ts';
import { SamlProvider } from '../../src/identity/saml/saml-provider.ts';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { stsHead } from '../support/hostile/sockets.ts';
import { samlDirectory, samlProviderArn } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { account, alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';

const idp = createSamlIdp({ roles: [], now: () => Date.now() });
/** Its assertion is long enough for a whole turn. */
const form = new URLSearchParams({
  Action: 'AssumeRoleWithSAML',
  Version: '2011-06-15',
  RoleArn: roleArn('analyst'),
  PrincipalArn: samlProviderArn('company'),
  SAMLAssertion: idp.respond({ attributes: { x: ['y'.repeat(16_000)] } }),
}).toString();
const request = stsHead(form.length, 'Connection: close\r\n') + form;

let sidecar: TestSidecar;
/** The turns of the event loop in which assertions were judged. */
let judged: number[];
let turn: number;
let isCounting: boolean;
/** The waits that requests have begun: one for a form, one for the turn in which a long form is read, and one for its assertion. */
let waits: () => number;
/** Whether a caller's signature has been verified, and whether the action of a form has been read. */
let isKnown: () => boolean;
let isRead: () => boolean;

beforeEach(async () => {
  sidecar = await startSidecar({
    directory: `${samlDirectory()}
  users: [{ name: alice, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }]`,
    files: { 'company.xml': idp.metadata, 'other.xml': idp.metadata.replace('idp.', 'other.') },
    server: '  limits: { maxUnauthenticated: 2 }',
  });
  judged = [];
  turn = 0;
  isCounting = true;
  void countTurns();
  const { identify } = SamlProvider.prototype;
  vi.spyOn(SamlProvider.prototype, 'identify').mockImplementation(function (this: SamlProvider, ...given) {
    judged.push(turn);
    return identify.apply(this, given);
  });
  const waiting = vi.spyOn(Place.prototype, 'waitFor');
  const waitingForTurn = vi.spyOn(Place.prototype, 'waitForTurn');
  waits = () => waiting.mock.calls.length + waitingForTurn.mock.calls.length;
  const admitted = vi.spyOn(Place.prototype, 'admit');
  isKnown = () => admitted.mock.calls.length > 0;
  const noted = vi.spyOn(RequestTrace.prototype, 'add');
  isRead = () => noted.mock.calls.some(([facts]) => 'operation' in facts);
});
afterEach(async () => {
  isCounting = false;
  vi.restoreAllMocks();
  await sidecar.stop();
});

async function countTurns(): Promise<void> {
  while (isCounting) {
    await setImmediate();
    turn += 1;
  }
}

/** Takes every turn of an owner, for far longer than a request needs to arrive. */
function holdTurns(owner = 'strangers'): () => void {
  const held = Array.from({ length: 20_000 }, () => askForTurn(owner));
  return () => {
    for (const { abandon } of held) abandon();
  };
}

async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let left = 10_000; left > 0 && !isSo(); left -= 1) await setImmediate();
  if (!isSo()) throw new Error('the expected state was not reached');
}

async function opened(): Promise<Socket> {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  return socket;
}

async function send(bytes = request): Promise<Socket> {
  const socket = await opened();
  socket.write(bytes, 'latin1');
  return socket;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each([
  ['body', (form: string) => stsHead(form.length, 'Connection: close\r\n') + form],
  ['query', (form: string) => `GET /?${form} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`],
])('a form of a stranger in the %s', (_, requestOf) => {
  const sized = (length: number): string =>
    requestOf('Action=AssumeRoleWithSAML&Version=2011-06-15&y='.padEnd(length, 'x'));

  it('that is long is read in a turn of its own', async () => {
    const release = holdTurns();
    const answer = readAll(await send(sized(8_193)));
    await turnsUntil(() => waits() === 2);
    expect(isRead()).toBe(false);
    release();
    expect(await answer).toContain('<Code>');
    expect(isRead()).toBe(true);
  });

  it('that is long is read at once when it fits into the turn, however many of them arrive together', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => opened()));
    const answers = sockets.map(readAll);
    for (const socket of sockets) socket.write(sized(8_193), 'latin1');
    for (const answer of await Promise.all(answers)) expect(answer).toContain('<Code>ValidationError</Code>');
    // Each for its form, and for its client to take the answer.
    expect(waits()).toBe(40);
  });

  it('of usual length waits for no turn', async () => {
    const release = holdTurns();
    expect(await readAll(await send(sized(8_192)))).toContain('<Code>');
    expect(isRead()).toBe(true);
    release();
  });
});

describe('an identity token of a stranger', () => {
  const withToken = (token: string): string => {
    const role = { RoleArn: roleArn('analyst'), RoleSessionName: 'abc' };
    const action = { Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15' };
    const text = new URLSearchParams({ ...action, ...role, WebIdentityToken: token }).toString();
    return stsHead(text.length, 'Connection: close\r\n') + text;
  };

  it('that is long is read in a turn of its own, and one of usual length waits for none', async () => {
    const read = vi.spyOn(ConfiguredProviders.prototype, 'webIdentity');
    const release = holdTurns();
    expect(await readAll(await send(withToken('x'.repeat(4_096))))).toContain(
      '<Code>InvalidIdentityToken</Code>',
    );
    const before = waits();
    const answer = readAll(await send(withToken('x'.repeat(4_097))));
    await turnsUntil(() => waits() === before + 2);
    expect(read).toHaveBeenCalledTimes(1);
    release();
    expect(await answer).toContain('<Code>InvalidIdentityToken</Code>');
    expect(read).toHaveBeenCalledTimes(2);
  });
});

describe('a long form that a caller has signed', () => {
  /** A form of 8,193 bytes, signed by alice, with that session token. */
  async function signedForm(token?: string): Promise<string> {
    const { host } = new URL(sidecar.url);
    const text = 'Action=GetCallerIdentity&Version=2011-06-15&y='.padEnd(8_193, 'x');
    const type = 'application/x-www-form-urlencoded';
    const headers = { host, 'content-type': type, 'x-amz-content-sha256': sha256(text) };
    const signing = { method: 'POST', path: '/', query: {}, headers };
    const keys =
      token === undefined ? alice : { ...alice, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA', sessionToken: token };
    const signed = await signWithSmithy(signing, keys, { nowMs: Date.now(), service: 'sts' });
    const fields = signed.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return `POST / HTTP/1.1\r\n${fields}Connection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  }

  it('cannot be displaced by those of strangers while it waits for its turn', async () => {
    const release = holdTurns(`arn:aws:iam::${account}:user/alice`);
    const own = readAll(await send(await signedForm()));
    await turnsUntil(() => isKnown() && waits() === 2);
    const others = Array.from({ length: 4 }, async () => readAll(await send()));
    for (const answer of await Promise.all(others)) expect(answer).toContain('<Code>');
    release();
    expect(await own).toContain(':user/alice</Arn>');
  });
});

const longTurns = 'strangers, whole turns';

describe('an assertion of a stranger', () => {
  it('that takes a whole turn is judged in one of its own', async () => {
    const release = holdTurns(longTurns);
    const answers = [readAll(await send()), readAll(await send())];
    await turnsUntil(() => waits() === 6);
    expect(judged).toEqual([]);
    release();
    for (const answer of await Promise.all(answers)) expect(answer).toContain('<Code>');
    expect(judged).toHaveLength(2);
    expect(new Set(judged).size).toBe(2);
  });

  it('that gives way while it waits for its turn is never judged; the last one gives way', async () => {
    const release = holdTurns(longTurns);
    const first = readAll(await send());
    await turnsUntil(() => waits() === 3);
    const second = readAll(await send());
    await turnsUntil(() => waits() === 6);
    const third = readAll(await send());
    expect(await second).toContain('<Code>Throttling</Code>');
    release();
    for (const answer of await Promise.all([first, third]))
      expect(answer).toContain('<Code>AccessDenied</Code>');
    expect(judged).toHaveLength(2);
  });

  it('whose client leaves while it waits for its turn is never judged', async () => {
    const accepted = acceptedOn(Number(new URL(sidecar.url).port));
    const release = holdTurns(longTurns);
    const socket = await send();
    await turnsUntil(() => waits() === 3);
    socket.destroy();
    await turnsUntil(() => accepted.sockets.every(({ destroyed }) => destroyed));
    release();
    await nextTurn(longTurns);
    await setImmediate();
    expect(judged).toEqual([]);
    accepted.stop();
  });
});
