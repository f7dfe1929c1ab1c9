import { describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import type { IdentityProviders } from '../../src/identity/provider.ts';
import { renderStsError } from '../../src/sts/error-xml.ts';
import { handleSts } from '../../src/sts/handle.ts';
import {
  arrive,
  buildWorld,
  dependenciesOf,
  providersWith,
  roleArn,
  version,
} from './support/sts-fixture.ts';

const form = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: version,
  RoleArn: roleArn('pod'),
  RoleSessionName: 'pod',
  WebIdentityToken: 'a.b.c',
};

/** What the listener is told while a call waits twice for its provider, and the answer to the caller. */
async function call(
  webIdentity: IdentityProviders['webIdentity'],
): Promise<{ heard: string[]; answer: string }> {
  const heard: string[] = [];
  const dependencies = dependenciesOf(buildWorld({}), {
    identityProviders: providersWith({ webIdentity }),
  });
  const { raw, body } = await arrive(form, undefined);
  const trace = {
    add: () => undefined,
    waitsFor: (provider: string) => {
      heard.push(`waits for ${provider}`);
      return () => void heard.push('waits no more');
    },
  };
  try {
    await handleSts(raw, body, dependencies, trace);
    return { heard, answer: 'issued' };
  } catch (error) {
    const { errorCode, status } = renderStsError(error, raw);
    return { heard, answer: `${errorCode} ${status}` };
  }
}

describe('a call that waits for its provider', () => {
  it('is reported to the listener every time it waits', async () => {
    const { heard } = await call(async (_proof, _now, observe) => {
      for (let time = 0; time < 2; time += 1) observe?.('login')();
      throw new IdentityFault('malformed', 'no token');
    });
    expect(heard).toEqual(['waits for login', 'waits no more', 'waits for login', 'waits no more']);
  });

  it('and finds no place there is throttled', async () => {
    const { heard, answer } = await call(async () => {
      throw new IdentityFault('provider_busy', 'Rate exceeded', { provider: 'login' });
    });
    expect(answer).toBe('Throttling 400');
    expect(heard).toEqual([]);
  });
});
