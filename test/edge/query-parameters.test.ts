import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory: openDirectory });
});
afterAll(() => sidecar.stop());

async function codeFor(path: string): Promise<string | undefined> {
  const response = await fetch(`${sidecar.url}${path}`);
  return /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1];
}

it.each([
  ['256 are read', `/data/k?${'a&'.repeat(255)}a`, 'AccessDenied'],
  ['257 are refused by S3', `/data/k?${'a&'.repeat(256)}a`, 'InvalidArgument'],
  ['257 are refused by STS', `/?Action=GetCallerIdentity${'&a'.repeat(256)}`, 'ValidationError'],
  ['a path may have any number of `&`', `/data/${'&'.repeat(400)}`, 'AccessDenied'],
])('query parameters: %s', async (_, path, code) => {
  expect(await codeFor(path)).toBe(code);
});
