import { expect, it } from 'vitest';
import { underAttack } from '../../support/hostile/under-attack.ts';
import { formBody, formType, signedFields } from '../../support/post-form.ts';
import { startProgram } from '../../support/program.ts';
import { bob } from '../../support/sidecar.ts';
import { exchange, summary } from '../../support/wire.ts';

const scene = underAttack();

const forms = 500;
/** Processor time is known to some ten milliseconds, and a collection may fall into either measurement. */
const leastMs = 100;
const maxFactor = 2;

/** A form of a caller who may do nothing. */
function form(key: string, conditions: readonly unknown[], filling: number): string {
  const ignored = ['x-ignore-filling', 'a'.repeat(filling)] as const;
  const signed = signedFields({ credentials: bob, conditions: [{ bucket: 'data' }, ...conditions] });
  const body = formBody({ fields: [['key', key], ignored, ...signed], file: Buffer.from('x') });
  const head = `POST /data HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return head + body.toString('latin1');
}

// Each condition compared every name of the key anew, 4 ms in all: 200 connections made others wait a hundred times as long.
it('a form with many conditions on an odd key costs little more than another one of its length', async () => {
  const program = await startProgram();
  scene.program = program;
  const costMs = async (text: string): Promise<number> => {
    const before = await program.cpuMs();
    for (let sent = 0; sent < forms; sent += 1)
      expect(summary(await exchange(program.url, text))).toBe('403 AccessDenied');
    return (await program.cpuMs()) - before;
  };
  const condition = ['starts-with', '$key', ''];
  const odd = form(`${'a/../'.repeat(200)}a`, Array(120).fill(condition), 0);
  const plain = form('a', [condition], odd.length - form('a', [condition], 0).length);
  expect(plain.length).toBe(odd.length);
  await costMs(plain);
  const limitMs = maxFactor * Math.max(leastMs, await costMs(plain));
  expect(await costMs(odd), 'milliseconds of processor time').toBeLessThanOrEqual(limitMs);
});
