import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { type ConditionCase, conditionCases, type Obedience, obedienceOf } from './behaviour/conditions.ts';
import { describeUnknownVersions, makeDeletionBuckets } from './behaviour/deletions.ts';
import { describeHeaders, headersHead } from './behaviour/headers.ts';
import { describeKeys, ownNames } from './behaviour/keys.ts';
import { makeRefusalBuckets, refusalCases, uploadedPart } from './behaviour/refusals.ts';
import { SignedCaller } from './behaviour/signed-caller.ts';
import { describeUploads } from './behaviour/uploads.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

const bucketOf = ({ isVersioned }: ConditionCase): string => (isVersioned ? 'refusals-versioned' : 'data');
const written = ({ condition }: ConditionCase): string =>
  condition.includes('`') ? condition : `\`${condition}\``;

// They lose nothing and no policy can demand them, so the client gets the answer of the store itself.
function isHarmless({ operation, condition }: ConditionCase): boolean {
  return operation === 'GetObject' || condition.startsWith('x-amz-copy-source-if-');
}

// A write is sent only after a look at the object that it would replace.
function insteadOf({ operation }: ConditionCase, supports: readonly string[]): Obedience {
  const isSent =
    operation === 'PutObject' ||
    (operation === 'CompleteMultipartUpload' && supports.includes('conditionalComplete'));
  return isSent ? 'obeys' : 'refuses';
}

const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
const page = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8');

// What the page says of a product holds for the way to set it up that the page recommends.
const described = storeKinds.filter(({ name, product }) => name === product);

describe.each(described)('$name', ({ name, product, trailers, supports, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let atStore: SignedCaller;
  let throughSidecar: SignedCaller;
  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, supports, directory: storeDirectory });
    atStore = new SignedCaller(store.endpoint, store);
    throughSidecar = new SignedCaller(sidecar.url, await assume(sidecar.url, alice, 'admin'));
    await atStore.must({ method: 'PUT', path: '/data' });
    await makeRefusalBuckets(atStore);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  /** Prints a table, so that the page can be written from it, and compares it with the page. */
  function compare(head: string, rows: readonly string[]): void {
    const columns = head.split('|').length - 2;
    const table = [head, `|${' - |'.repeat(columns)}`, ...rows].join('\n');
    process.stdout.write(`\n${name}\n\n${table}\n`);
    const section = page.split(/^## /m).find((text) => text.startsWith(`${product}\n`)) ?? '';
    // The formatter of the page aligns columns.
    const plain = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-');
    expect(plain(section)).toContain(plain(table));
  }

  it('treats conditions as the page says', async () => {
    const rows: string[] = [];
    for (const [index, condition] of conditionCases.entries()) {
      const obedience = await obedienceOf(condition, atStore, {
        bucket: bucketOf(condition),
        key: `key${index}`,
      });
      rows.push(`| ${condition.operation} | ${written(condition)} | ${obedience} |`);
    }
    compare('| operation | condition | the store |', rows);
  });

  it('treats failed uploads as the page says', async () => {
    compare('| upload | the store |', await describeUploads(atStore));
  });

  it('treats odd keys as the page says', async () => {
    compare('| key | the store |', await describeKeys(atStore));
  });

  it('treats deletions of missing versions as the page says', async () => {
    await makeDeletionBuckets(atStore);
    const head = '| deletion of a version that does not exist | the bucket | the object |';
    compare(head, await describeUnknownVersions(atStore));
  });

  it('treats the headers of a new object as the page says', async () => {
    compare(headersHead, await describeHeaders(atStore));
  });

  it.each(conditionCases.map((one, index) => ({ ...one, index })))(
    'is not asked to ignore $condition of $operation',
    async ({ index, ...condition }) => {
      const bucket = bucketOf(condition);
      const direct = await obedienceOf(condition, atStore, { bucket, key: `direct${index}` });
      const through = await obedienceOf(condition, throughSidecar, { bucket, key: `sidecar${index}` });
      const isIgnored = direct === 'ignores' && !isHarmless(condition);
      expect(through).toBe(isIgnored ? insteadOf(condition, supports) : direct);
    },
  );

  it('carries out requests that it should refuse as the page says', async () => {
    const rows: string[] = [];
    for (const [index, { operation, request, outcome }] of refusalCases.entries()) {
      const parties = { owner: atStore, caller: atStore, key: `direct${index}` };
      if ((await outcome(parties)).isCarriedOut) rows.push(`| ${operation} | ${request} |`);
    }
    const head = '| operation | a request that is carried out, and should be refused |';
    compare(head, rows.length === 0 ? ['| none | |'] : rows);
  });

  it.each(refusalCases.map((one, index) => ({ ...one, index })))(
    'is not sent $operation with $request',
    async ({ index, denied, refusals, outcome }) => {
      const Statement = [everything, ...(denied === undefined ? [] : [denied])];
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
      const caller = new SignedCaller(sidecar.url, await assume(sidecar.url, alice, 'admin', { Policy }));
      const told = await outcome({ owner: atStore, caller, key: `sidecar${index}` });
      const code = /<Code>(\w+)<\/Code>/.exec(told.answered.text)?.[1] ?? '';
      expect(told.isCarriedOut).toBe(false);
      expect(refusals).toContain(`${told.answered.status} ${code}`);
    },
  );

  it('receives a repeated completion, and answers as it would answer directly', async () => {
    const told: number[] = [];
    for (const [index, caller] of [atStore, throughSidecar].entries()) {
      const path = `/refusals/repeated${index}`;
      const { query, body } = await uploadedPart(atStore, path);
      const complete = { method: 'POST', path, query, body };
      await caller.must(complete);
      told.push((await caller.send(complete)).status);
    }
    expect(told[1]).toBe(told[0]);
  });

  it.each(ownNames)('does not show $title', async ({ path }) => {
    const target = await path(throughSidecar, 'data');
    const direct = await atStore.send({ method: 'GET', path: target });
    process.stdout.write(`${name}: GET ${target.replaceAll(/[0-9a-f-]{32,}/g, '…')} ${direct.status}\n`);
    const refused = await throughSidecar.send({ method: 'GET', path: target });
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(/<Code>(?:InvalidURI|InvalidBucketName)<\/Code>/);
  });
});
