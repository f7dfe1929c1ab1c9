import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Attack, forgedAssertions, unclosedMarkup } from '../../support/hostile/attacks.ts';
import { underAttack } from '../../support/hostile/under-attack.ts';
import { serveCallers, startWithObject } from '../../support/hostile/victims.ts';
import { type Program, programDirectory } from '../../support/program.ts';
import { createSamlIdp, toBase64, writeMetadata, writeResponse } from '../../support/saml-idp.ts';
import { account, roleArn } from '../../support/sidecar.ts';
import { summary } from '../../support/wire.ts';

const scene = underAttack();

/** The processor time that an attack costs the program until it is answered, or until the cost exceeds `limitMs`. */
async function costOf(
  attacked: Program,
  attack: Attack,
  limitMs = Number.POSITIVE_INFINITY,
): Promise<number> {
  const before = await attacked.cpuMs();
  const swarm = await attack(attacked);
  scene.swarm = swarm;
  const { sockets } = swarm;
  let costMs = 0;
  while (costMs <= limitMs && !sockets.every((socket) => socket.destroyed)) {
    await setTimeout(20);
    costMs = (await attacked.cpuMs()) - before;
  }
  return costMs;
}

/** How many times as much as harmless requests of the same size hostile ones may cost. */
const maxFactor = 10;

/** Twice the resolution of processor time. */
const tickMs = 20;

describe('the event loop is held by no document', () => {
  // In texts that are not Latin-1, V8 looks for a character by one of its two bytes, and this one has that of `>` in every place.
  const greater = '\u013e';
  const documents = [
    ['<', 2_000_000, 'a'],
    ['<', 10_000, greater],
    ['<!--', 500_000, 'a'],
    ['<!--', 10_000, greater],
    ['<![CDATA[', 10_000, greater],
    [`<${'a'.repeat(45)}`, 10_000, 'a'],
    ['<a ', 600_000, 'a'],
    ['<a>', 600_000, 'a'],
    ['&', 2_000_000, 'a'],
  ] as const;

  it.each(
    documents.flatMap(([markup, times, filling]) => [
      { markup, times, filling, method: 'POST', selector: 'delete' },
      { markup, times, filling, method: 'PUT', selector: 'replication' },
    ]),
  )(
    '$method ?$selector with $markup × $times, then $filling',
    async ({ markup, times, filling, ...sent }) => {
      const attacked = await startWithObject();
      scene.program = attacked;
      const options = { filling, count: 2, request: [sent.method, sent.selector] } as const;
      const harmless = unclosedMarkup('', 0, options);
      await costOf(attacked, harmless);
      const limitMs = maxFactor * Math.max(await costOf(attacked, harmless), tickMs);
      const costMs = await costOf(attacked, unclosedMarkup(markup, times, options), limitMs);
      expect(costMs, 'milliseconds of processor time').toBeLessThanOrEqual(limitMs);
      expect(scene.swarm?.answers.map(summary)).toEqual(Array(options.count).fill('400 MalformedXML'));
      await serveCallers(attacked, 1);
    },
  );
});

describe('a stranger with a SAML response cannot hold the event loop', () => {
  const entityId = 'https://idp.example.com';
  const provider = `arn:aws:iam::${account}:saml-provider/company`;
  const idps = Array.from({ length: 10 }, () =>
    createSamlIdp({ entityId, roles: [], now: () => Date.now() }),
  );
  const assertion =
    idps[0]?.sign(idps[0].assertion({ attributes: { filling: Array<string>(350).fill('a'.repeat(30)) } })) ??
    '';
  const response = writeResponse(assertion, entityId, Date.now());

  it.each([1, 2, 10])('that no key of %i has signed', async (keys) => {
    const certificates = idps.slice(0, keys).map(({ certificate }) => certificate);
    const attacked = await startWithObject({
      files: { 'company.xml': writeMetadata(entityId, certificates) },
      directory: `${programDirectory}
  identityProviders: [{ kind: saml, name: company, metadataFile: company.xml }]
`,
    });
    scene.program = attacked;
    const sent = (document: string, connections: number): Attack =>
      forgedAssertions(connections, provider, roleArn('data'), toBase64(document));
    const forged = sent(response.replace(/(<ds:SignatureValue>)..../, '$1AAAA'), 5);
    // Five times as many, because one of them costs too little to be measured.
    const harmless = sent(response.replaceAll('<', '('), 25);
    for (const attack of [harmless, forged]) await costOf(attacked, attack);
    const limitMs = 7 * Math.max(await costOf(attacked, harmless), tickMs);
    const costMs = await costOf(attacked, forged, limitMs);
    expect(costMs, 'milliseconds of processor time').toBeLessThanOrEqual(limitMs);
    const refusals = scene.swarm?.answers.map(
      (answer) => answer.split('Response signature invalid').length - 1,
    );
    expect(refusals).toEqual([4, 4, 4, 4, 4]);
    await serveCallers(attacked);
  });
});
