import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { memoryLimitMiB, underAttack } from '../support/hostile/under-attack.ts';
import { startWithObject } from '../support/hostile/victims.ts';
import type { Program } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';
import { type ClientTls, clientHello, secureS3 } from '../support/tls-clients.ts';

const authority = createAuthority();
const clients = createAuthority('clients');
const issued = authority.issue({ names: ['localhost'] });
const shown = clients.issue();
const tls: ClientTls = { ca: authority.certPem, cert: shown.certPem, key: shown.keyPem };
const scene = underAttack();

async function start(section: string): Promise<Program> {
  scene.program = await startWithObject({
    server: `tls: { certFile: tls.crt, keyFile: tls.key${section} }`,
    files: { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem, 'clients.crt': clients.certPem },
  });
  return scene.program;
}

/** A caller with permissions, on a new connection each time; no request is tried twice. */
async function serveCaller(url: string): Promise<void> {
  const s3 = secureS3(url.replace('127.0.0.1', 'localhost'), alice, tls);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }));
  expect(await Body?.transformToString()).toBe('hello');
  await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'own', Body: 'x'.repeat(100_000) }));
  s3.destroy();
}

/** A ClientHello that announces as much as OpenSSL reads, and of which nothing follows. */
const longestHello = Buffer.from([22, 3, 1, 0x40, 0, 1, 0x01, 0xff, 0x00, 3, 3]);
/** One of the longest record, all of which comes but the last byte. */
const almostWhole = Buffer.concat([
  Buffer.from([22, 3, 1, 0x3f, 0xfc, 1, 0, 0x3f, 0xf8, 3, 3]),
  Buffer.alloc(0x3ff0),
]);

describe('a stranger cannot keep others out by handshakes', () => {
  it.each([
    ['2,000 that stop after the ClientHello', 2_000, clientHello, '', 360],
    [
      '2,000 that stop after it, where clients show certificates',
      2_000,
      clientHello,
      ', clientCaFile: clients.crt',
      270,
    ],
    ['2,000 that announce the longest ClientHello', 2_000, () => longestHello, '', 2_010],
    ['2,000 that lack the last byte of a long one', 2_000, () => almostWhole, '', 1_050],
    ['8,000 that say nothing', 8_000, () => Buffer.alloc(0), '', 8_010],
  ])('%s', async (_, count, opening, section, most) => {
    const program = await start(section);
    const bytes = await opening();
    await serveCaller(program.url);
    const swarm = new Swarm(program.url);
    scene.swarm = swarm;
    const served = (async () => {
      for (let round = 0; round < 10; round += 1) await serveCaller(program.url);
    })();
    for (let opened = 0; opened < count; opened += 1) {
      swarm.open(bytes, false);
      // As fast as the listener accepts them.
      if (opened % 50 === 0) await setTimeout(1);
    }
    await served;
    for (let round = 0; round < 5; round += 1) await serveCaller(program.url);
    expect(program.isRunning(), program.output().slice(-2000)).toBe(true);
    // Those that wait for their turn take little until it comes.
    await expect
      .poll(() => program.metric('sts_sidecar_open_connections{listener="s3"}'))
      .toBeLessThanOrEqual(most);
    const { peakMiB } = await program.memory();
    expect(peakMiB).toBeLessThan(memoryLimitMiB);
    expect(program.output().split('"component":"tls"').length).toBeLessThan(40);
  });
});
