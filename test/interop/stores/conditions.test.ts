import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditionCases, obedienceOf } from './behaviour/conditions.ts';
import { SignedCaller } from './behaviour/signed-caller.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';

describe.each(storeKinds)('$name', ({ name, start }) => {
  let store: RealStore;
  let atStore: SignedCaller;
  beforeAll(async () => {
    store = await start();
    atStore = new SignedCaller(store.endpoint, store);
    await atStore.must({ method: 'PUT', path: '/data' });
  });
  afterAll(() => store?.stop());

  it('does with conditions what is written down', async () => {
    const rows: string[] = [];
    for (const [index, condition] of conditionCases.entries()) {
      const obedience = await obedienceOf(condition, atStore, { bucket: 'data', key: `key${index}` });
      rows.push(`| ${condition.operation} | \`${condition.condition}\` | ${obedience} |`);
    }
    process.stdout.write(`\n${name}\n${rows.join('\n')}\n`);
    expect(rows.length).toBe(conditionCases.length);
  });
});
