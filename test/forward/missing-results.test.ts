import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';
import { sidecarBefore } from './raw-store.ts';

it('a multi-delete that the store answers without a result fails, because its denials would be lost', async () => {
  const { sidecar } = await sidecarBefore(({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  const command = new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'a' }] } });
  expect(await outcome(s3Client(sidecar.url, alice).send(command))).toBe('ServiceUnavailable 503');
});
