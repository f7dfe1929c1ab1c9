import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import {
  type CustomTokenProviderSettings,
  pluginRoleId,
} from '../../../src/identity/custom-token/settings.ts';
import { IdentityFault } from '../../../src/identity/identity-fault.ts';
import type { IdentityRequest } from '../../../src/identity/observer.ts';
import type { CustomTokenIdentity } from '../../../src/identity/provider.ts';
import { GuardedFetch } from '../../../src/outbound/guarded-fetch.ts';
import { TestClock } from '../../support/sidecar.ts';
import { startWebhook, type TestWebhook } from '../../support/webhook.ts';
import { configured } from '../configured.ts';
import {
  flood,
  hangUp,
  type Listener,
  redirect,
  silent,
  status,
  text,
  trickle,
} from '../misbehaving-issuer.ts';

let webhook: TestWebhook;
let fetch: GuardedFetch;
let outbound: { allowHttp: string[]; timeoutSeconds: number };
let requests: IdentityRequest[];
beforeEach(async () => {
  webhook = await startWebhook();
  outbound = { allowHttp: [], timeoutSeconds: 30 };
  fetch = new GuardedFetch(outbound);
  requests = [];
});
afterEach(async () => {
  await fetch.close();
  await webhook.stop();
});

function providers(changes: Partial<CustomTokenProviderSettings> = {}): {
  identify(name: string, token: string): Promise<CustomTokenIdentity>;
  probe(): Promise<void>;
} {
  const settings: CustomTokenProviderSettings = {
    kind: 'custom-token',
    name: 'plugin',
    url: webhook.url,
    authToken: new Secret('Bearer of-the-sidecar'),
    rolePolicies: ['ReadData'],
    ...changes,
  };
  const observer = {
    requested: (request: IdentityRequest) => void requests.push(request),
    keysRefreshed: () => undefined,
  };
  const clock = new TestClock();
  const all = configured([settings], { fetch, clock, observer });
  return {
    identify: (provider, token) => all.customToken({ provider, token }, clock.now()),
    probe: () => all.probe(),
  };
}

/** The reason and the message of a refused token; `accepted` when it is not refused. */
async function verdict(token = 'aaa', changes: Partial<CustomTokenProviderSettings> = {}): Promise<string> {
  try {
    await providers(changes).identify('plugin', token);
    return 'accepted';
  } catch (error) {
    if (error instanceof IdentityFault) return error.reason;
    throw error;
  }
}

describe('a webhook', () => {
  it('says whose token it is and how long the session may be', async () => {
    expect(await providers().identify('plugin', 'aaa')).toEqual({
      provider: 'plugin',
      user: 'Alice',
      maxValiditySeconds: 3600,
    });
  });

  it('is not asked about a token that takes more than 32 KiB in its query', async () => {
    expect(await verdict('%'.repeat(10_923))).toBe('malformed');
    expect(await verdict('\u4e2d'.repeat(20_000))).toBe('malformed');
    expect(webhook.questions).toEqual([]);
  });

  it('is asked with a POST without a body and its own authorization, word for word', async () => {
    await providers().identify('plugin', 'aaa');
    expect(webhook.questions).toEqual([
      {
        method: 'POST',
        target: '/?token=aaa',
        authorization: 'Bearer of-the-sidecar',
        contentLength: '0',
        body: '',
      },
    ]);
  });

  it.each([
    ['', '/?token=aaa'],
    ['/auth', '/auth?token=aaa'],
    ['/auth?tenant=a%2Fb&x', '/auth?tenant=a%2Fb&x&token=aaa'],
    ['/auth?tenant=t&', '/auth?tenant=t&token=aaa'],
    ['/auth?', '/auth?token=aaa'],
  ])('keeps the query of its URL: %s', async (path, target) => {
    const url = `${webhook.url}${path}`;
    expect(await providers({ url }).identify('plugin', 'aaa')).toMatchObject({ user: 'Alice' });
    expect(webhook.questions[0]?.target).toBe(target);
  });

  it('receives tokens of any characters as one parameter', async () => {
    const token = 'a&token=bbb#?=+ %41é\u{1f511}';
    expect(await verdict(token)).toBe('provider_denied');
    const { searchParams } = new URL(webhook.questions[0]?.target ?? '', 'http://webhook');
    expect([...searchParams]).toEqual([['token', token]]);
  });

  it('refuses in its own words', async () => {
    const refusal = await providers()
      .identify('plugin', 'wrong')
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      reason: 'provider_denied',
      message: 'Invalid token',
      provider: 'plugin',
    });
  });

  const accept = (changes: Record<string, unknown>): string =>
    JSON.stringify({ user: 'Alice', maxValiditySeconds: 3600, claims: {}, ...changes });

  it.each<[string, Listener, string]>([
    ['answers 500', status(500), 'provider_unreachable'],
    ['answers 503', status(503), 'provider_unreachable'],
    ['does not answer', silent, 'provider_unreachable'],
    ['hangs up', hangUp, 'provider_unreachable'],
    ['trickles', trickle, 'provider_unreachable'],
    ['answers too much', flood, 'bad_answer'],
    ['redirects', redirect, 'bad_answer'],
    ['answers 401', status(401), 'bad_answer'],
    ['answers 404', status(404), 'bad_answer'],
    ['answers 204', status(204), 'bad_answer'],
    ['refuses without a reason', status(403), 'bad_answer'],
    ['answers HTML', text('<html></html>'), 'bad_answer'],
    ['answers an empty object', text('{}'), 'bad_answer'],
    ['answers a list', text('[]'), 'bad_answer'],
    ['answers another status of success', created, 'bad_answer'],
    ['names no user', text(accept({ user: undefined })), 'bad_answer'],
    ['names a user without letters', text(accept({ user: ' ' })), 'bad_answer'],
    ['names a list of users', text(accept({ user: ['Alice'] })), 'bad_answer'],
    ['names a user of 256 characters', text(accept({ user: 'a'.repeat(256) })), 'bad_answer'],
    ['names no validity', text(accept({ maxValiditySeconds: undefined })), 'bad_answer'],
    ['names less than 15 minutes', text(accept({ maxValiditySeconds: 899 })), 'bad_answer'],
    ['names more than a year', text(accept({ maxValiditySeconds: 31_536_001 })), 'bad_answer'],
    ['names a validity in quotes', text(accept({ maxValiditySeconds: '3600' })), 'bad_answer'],
    ['names a part of a second', text(accept({ maxValiditySeconds: 3600.5 })), 'bad_answer'],
    ['has claims that are not an object', text(accept({ claims: 'admin' })), 'bad_answer'],
    ['names two users', text(accept({}).replace('{', '{"user":"Bob",')), 'bad_answer'],
  ])('that %s verifies no token', async (_, listener, reason) => {
    webhook.answerWith(listener);
    if (listener === silent || listener === trickle) outbound.timeoutSeconds = 0.2;
    expect(await verdict()).toBe(reason);
    expect(requests.at(-1)).toMatchObject({ provider: 'plugin', operation: 'custom_token' });
  });

  it('that is down verifies no token', async () => {
    await webhook.stop();
    expect(await verdict()).toBe('provider_unreachable');
  });

  it('may claim anything: the user and the validity stay the same', async () => {
    const claims = { exp: 1, sub: 'root', parent: 'root', roleArn: 'arn:aws:iam::123456789012:role/admin' };
    webhook.answerWith(text(accept({ claims })));
    expect(await providers().identify('plugin', 'aaa')).toEqual({
      provider: 'plugin',
      user: 'Alice',
      maxValiditySeconds: 3600,
    });
  });

  it('is not asked where outgoing requests may not go', async () => {
    expect(await verdict('aaa', { url: 'http://webhook.example.com/' })).toBe('bad_answer');
  });

  it('never tells the observer the token or its own secret', async () => {
    webhook.answerWith(status(500));
    await verdict('a-very-secret-token');
    await webhook.stop();
    await verdict('a-very-secret-token');
    const told = JSON.stringify(requests);
    expect(requests).toHaveLength(2);
    expect(told).not.toContain('a-very-secret-token');
    expect(told).not.toContain('of-the-sidecar');
  });

  it('that does not answer a probe only causes a log line', async () => {
    await providers().probe();
    await webhook.stop();
    await providers().probe();
    expect(requests.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['probe', 'success'],
      ['probe', 'unreachable'],
    ]);
    expect(webhook.questions).toEqual([]);
  });
});

describe('the generated id of a webhook', () => {
  it('is the digest of its URL as configured', () => {
    expect(pluginRoleId({ url: 'http://localhost:8081' })).toBe('idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ');
    expect(pluginRoleId({ url: 'http://localhost:8081/' })).not.toBe('idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ');
  });

  it('is the configured id', () => {
    expect(pluginRoleId({ url: 'http://localhost:8081', roleId: 'my-plugin' })).toBe('idmp-my-plugin');
  });
});

function created(_: IncomingMessage, response: ServerResponse): boolean {
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end('{"user":"Alice","maxValiditySeconds":3600,"claims":{}}');
  return true;
}
