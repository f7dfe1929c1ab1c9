import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askForTurn, nextTurn } from '../../src/core/turns.ts';
import { Place } from '../../src/edge/places.ts';
import { RequestTrace } from '../../src/edge/request-trace.ts';
import { SamlProvider } from '../../src/identity/saml/saml-provider.ts';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { stsHead } from '../support/hostile/sockets.ts';
import { samlDirectory, samlProviderArn } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';

const idp = createSamlIdp({ roles: [], now: () => Date.now() });
const form = new URLSearchParams({
  Action: 'AssumeRoleWithSAML',
  Version: '2011-06-15',
  RoleArn: roleArn('analyst'),
  PrincipalArn: samlProviderArn('company'),
  SAMLAssertion: idp.respond(),
}).toString();
const request = stsHead(form.length, 'Connection: close\r\n') + form;

let sidecar: TestSidecar;
/** The turns of the event loop in which assertions were judged. */
let judged: number[];
let turn: number;
let isCounting: boolean;
/** The waits that requests have begun: one for a form, and one for a turn. */
let waits: () => number;
/** True when the action of a form has been read. */
let isRead: () => boolean;

beforeEach(async () => {
  sidecar = await startSidecar({
    directory: samlDirectory(),
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
  waits = () => waiting.mock.calls.length;
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

/** Keeps all turns of strangers for itself, for far longer than a request needs to arrive. */
function holdTurns(): () => void {
  const held = Array.from({ length: 20_000 }, () => askForTurn('strangers'));
  return () => {
    for (const { abandon } of held) abandon();
  };
}

async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let left = 10_000; !isSo(); left -= 1) {
    if (left === 0) throw new Error('it has not come to that');
    await setImmediate();
  }
}

async function send(bytes = request): Promise<Socket> {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(bytes, 'latin1');
  return socket;
}

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

  it('of usual length waits for no turn', async () => {
    const release = holdTurns();
    expect(await readAll(await send(sized(8_192)))).toContain('<Code>');
    expect(isRead()).toBe(true);
    release();
  });
});

describe('an assertion of a stranger', () => {
  it('is judged in a turn of its own', async () => {
    const release = holdTurns();
    const answers = [readAll(await send()), readAll(await send())];
    await turnsUntil(() => waits() === 4);
    expect(judged).toEqual([]);
    release();
    for (const answer of await Promise.all(answers)) expect(answer).toContain('<Code>');
    expect(judged).toHaveLength(2);
    expect(new Set(judged).size).toBe(2);
  });

  it('that gives way while it waits for its turn is never judged', async () => {
    const release = holdTurns();
    const first = readAll(await send());
    await turnsUntil(() => waits() === 2);
    const others = [readAll(await send()), readAll(await send())];
    expect(await first).toContain('<Code>Throttling</Code>');
    release();
    for (const answer of await Promise.all(others)) expect(answer).toContain('<Code>AccessDenied</Code>');
    expect(judged).toHaveLength(2);
  });

  it('whose client leaves while it waits for its turn is never judged', async () => {
    const accepted = acceptedOn(Number(new URL(sidecar.url).port));
    const release = holdTurns();
    const socket = await send();
    await turnsUntil(() => waits() === 2);
    socket.destroy();
    await turnsUntil(() => accepted.sockets.every(({ destroyed }) => destroyed));
    release();
    await nextTurn('strangers');
    await setImmediate();
    expect(judged).toEqual([]);
    accepted.stop();
  });
});
