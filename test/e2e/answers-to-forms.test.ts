import { expect, it, onTestFinished } from 'vitest';
import { type FormShape, postForm } from '../support/post-form.ts';
import { alice, startSidecar, type TestSidecarOptions } from '../support/sidecar.ts';
import { summary } from '../support/wire.ts';

async function post(shape: FormShape, options: TestSidecarOptions = {}): Promise<string> {
  const sidecar = await startSidecar(options);
  onTestFinished(() => sidecar.stop());
  return postForm(sidecar.url, alice, shape);
}

it.each([
  [
    0,
    18,
    '<Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message><Resource>/data</Resource><ProposedSize>19</ProposedSize><MaxSizeAllowed>18</MaxSizeAllowed>',
  ],
  [
    20,
    100,
    '<Code>EntityTooSmall</Code><Message>Your proposed upload is smaller than the minimum allowed size</Message><Resource>/data</Resource><ProposedSize>19</ProposedSize><MinSizeAllowed>20</MinSizeAllowed>',
  ],
])('a form outside of the range from %i to %i says what is allowed', async (least, most, expected) => {
  const conditions = [{ bucket: 'data' }, ['eq', '$key', 'posted'], ['content-length-range', least, most]];
  expect(await post({ conditions })).toContain(expected);
});

it('a form that is signed for another region is refused as one with a wrong field', async () => {
  const answer = await post({}, { allowedRegions: '[eu-west-1]' });
  expect(summary(answer)).toBe('400 InvalidArgument');
  expect(answer).toContain("the region 'us-east-1' is wrong");
});
