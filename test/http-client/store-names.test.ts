import { expect, it, onTestFinished } from 'vitest';
import { HttpClient } from '../../src/http-client/http-client.ts';
import { silentName, withHeldLookups } from '../support/held-lookups.ts';
import { Asked } from './asking.ts';
import { answerOf, timeouts } from './in-front-of.ts';
import { startRawServer } from './raw-server.ts';

// The system looks up two names at a time and cannot cancel a look-up, so abandoned connections kept callers waiting.
it('the name of the store is looked up once for all connections that are being opened, including abandoned ones', async () => {
  const server = await startRawServer(({ socket }) => socket.write(answerOf('found')));
  onTestFinished(server.close);
  await withHeldLookups(async (lookups) => {
    const name = silentName('store');
    const client = new HttpClient(`http://${name}:${new URL(server.url).port}`, timeouts);
    onTestFinished(() => client.destroy());
    const asked = Array.from({ length: 10 }, () => new Asked(client));
    for (const { exchange } of asked.slice(0, 5)) exchange.abort();
    const later = new Asked(client);
    expect(lookups.begun).toEqual([name]);
    lookups.release(name, ['127.0.0.1']);
    await Promise.all([...asked.slice(5), later].map(({ over }) => over));
    expect([...asked.slice(5), later].map(({ outcome }) => outcome)).toEqual(Array(6).fill('200 found'));
    expect(lookups.begun).toEqual([name]);
  });
});
