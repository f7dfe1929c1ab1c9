import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { aliasBuckets, pathAliases, tagAliases, versionAliases } from './behaviour/aliases.ts';
import { deletionAliases, makeDeletionBuckets } from './behaviour/deletions.ts';
import { joinedVersions } from './behaviour/joined-versions.ts';
import { SignedCaller } from './behaviour/signed-caller.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

const page = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8');
const cases = [...pathAliases, ...versionAliases, ...joinedVersions, ...tagAliases, ...deletionAliases].map(
  (one, index) => ({ ...one, index }),
);
const everything = { Effect: 'Allow', Action: '*', Resource: '*' };

describe.each(storeKinds)('$name', ({ name, product, trailers, supports, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let owner: SignedCaller;
  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, supports, directory: storeDirectory });
    owner = new SignedCaller(store.endpoint, store);
    const { plain, locked, versioned } = aliasBuckets;
    for (const bucket of [plain, versioned]) await owner.must({ method: 'PUT', path: `/${bucket}` });
    const lock = { 'x-amz-bucket-object-lock-enabled': 'true' };
    await owner.must({ method: 'PUT', path: `/${locked}`, headers: lock });
    const body =
      '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>';
    await owner.must({ method: 'PUT', path: `/${versioned}`, query: { versioning: '' }, body });
    await makeDeletionBuckets(owner);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  it('confuses names as the page says', async () => {
    const rows: string[] = [];
    for (const { operation, request, reaches, index } of cases) {
      const isReached = await reaches({ owner, caller: owner, key: `direct${index}-` });
      if (isReached) rows.push(`| ${operation} | ${request} |`);
    }
    const table = ['| operation | a request that reaches another object |', '| - | - |', ...rows].join('\n');
    process.stdout.write(`\n${name}\n\n${table}\n`);
    const section = page.split(/^## /m).find((text) => text.startsWith(`${product}\n`)) ?? '';
    const plain = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-');
    expect(plain(section)).toContain(plain(table));
  });

  it.each(cases)('is not reached behind the sidecar by $operation with $request', async (one) => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [everything, one.denied] });
    const caller = new SignedCaller(sidecar.url, await assume(sidecar.url, alice, 'admin', { Policy }));
    expect(await one.reaches({ owner, caller, key: `sidecar${one.index}-` })).toBe(false);
  });
});
