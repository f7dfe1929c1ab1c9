import { GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  allow,
  clock,
  control,
  type Holder,
  holder,
  read,
  refused,
  scope,
  session,
  sidecar,
  startScopedWorld,
  stopScopedWorld,
  whoIs,
  write,
} from '../support/scoped-world.ts';
import { assume, outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';

beforeAll(startScopedWorld);
afterAll(stopScopedWorld);

describe('the end of a session', () => {
  it('is that of its scoped sessions, also by its own expiry', async () => {
    const parent = await session();
    const kept = holder(await scope(parent, { Policy: allow('s3:GetObject') }));
    const short = holder(await scope(kept, { DurationSeconds: 60 }));
    clock.advance(61_000);
    expect(await read(short, 'data', 'red/a')).toBe('ExpiredToken 400');
    expect(await read(kept, 'data', 'red/a')).toBe('allowed');
    clock.advance(3_540_000);
    expect(await read(kept, 'data', 'red/a')).toBe('ExpiredToken 400');
    expect(await outcome(scope(kept, { DurationSeconds: 60 }))).toMatch(/^ExpiredToken(Exception)? 403$/);
  });

  const idOf = (issuedKey: string): string => {
    const line = sidecar.logged
      .map((text) => JSON.parse(text))
      .findLast((one) => one.access_key_id === issuedKey);
    return String(line?.session_id);
  };
  const identityOf = (keys: SdkCredentials): Promise<string> => outcome(whoIs(keys));
  interface Family {
    readonly parent: Holder;
    readonly other: Holder;
    readonly children: Readonly<Record<string, Holder>>;
  }
  const family = async (parent: Holder): Promise<Family> => {
    const scoped = holder(await scope(parent, { Policy: allow('*') }));
    const grandchild = holder(await scope(scoped, { DurationSeconds: 300 }));
    const assumed = await assume(sidecar.url, grandchild, 'next', { RoleSessionName: 'child' }, clock);
    const scopedAgain = holder(await scope(assumed, { Policy: allow('*') }));
    return { parent, other: await session(), children: { scoped, grandchild, assumed, scopedAgain } };
  };
  const whoEnded = async ({ children }: Family): Promise<string[]> => {
    const names: string[] = [];
    for (const [name, keys] of Object.entries(children))
      if ((await identityOf(keys)) !== 'allowed') names.push(name);
    return names;
  };
  let added: string[] = [];
  beforeEach(async () => {
    for (const id of added) await control.remove(id);
    added = [];
    // A run-time revocation includes the second that it is made in.
    clock.advance(2_000);
  });
  const revoke = async (body: object): Promise<void> => {
    const answer = await control.add(body);
    expect(answer.status).toBe(201);
    added.push(answer.body['id'] ?? '');
  };

  it('by its id ends its children of every kind, and no other session', async () => {
    const all = await family(await session());
    expect([await identityOf(all.parent), await whoEnded(all)]).toEqual(['allowed', []]);
    await revoke({ sessionId: idOf(all.parent.accessKeyId) });
    expect(await identityOf(all.parent)).not.toBe('allowed');
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.other)).toBe('allowed');
    expect(await read(all.children['scoped'] ?? alice, 'data', 'red/a')).toBe('ExpiredToken 400');
  });

  it('by its id ends only what descends from it', async () => {
    const all = await family(await session());
    const { grandchild } = all.children;
    await identityOf(grandchild ?? alice);
    await revoke({ sessionId: idOf(grandchild?.accessKeyId ?? '') });
    expect(await whoEnded(all)).toEqual(['grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.parent)).toBe('allowed');
  });

  it.each([
    ['role session', { roleSession: 'agent/test' }],
    ['role', { role: 'agent' }],
  ])('by its %s ends the sessions of other roles that descend from it', async (_, body) => {
    const all = await family(await session());
    clock.advance(2_000);
    await revoke(body);
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
  });

  it('by its user ends what descends from a session of the user, and not what the long-term key assumed', async () => {
    const all = await family(
      holder(await stsClient(sidecar.url, alice, clock).send(new GetSessionTokenCommand({}))),
    );
    clock.advance(2_000);
    await revoke({ user: 'alice' });
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.other)).toBe('allowed');
  });

  it('by its time ends descendants that are newer than that time', async () => {
    const parent = await session();
    clock.advance(60_000);
    const issuedBefore = new Date(Math.floor(clock.now() / 1000) * 1000).toISOString();
    clock.advance(60_000);
    const all = await family(parent);
    await revoke({ issuedBefore });
    expect(await identityOf(all.parent)).not.toBe('allowed');
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.other)).toBe('allowed');
  });

  it('of a federated user ends with that of its user', async () => {
    const guest = holder(
      await stsClient(sidecar.url, alice, clock).send(
        new GetFederationTokenCommand({ Name: 'guest', Policy: JSON.stringify(allow('s3:*')) }),
      ),
    );
    const scoped = holder(await scope(guest, { Policy: allow('s3:GetObject') }));
    expect([await read(scoped, 'data', 'red/a'), await write(scoped, 'data', 'red/c')]).toEqual([
      'allowed',
      refused,
    ]);
    clock.advance(2_000);
    await revoke({ user: 'alice' });
    expect(await read(scoped, 'data', 'red/a')).toBe('ExpiredToken 400');
  });
});
