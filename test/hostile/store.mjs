// The demo store in a process of its own, so that it does not wait for the attackers' work.
// Takes the secret of its key from STORE_SECRET; prints its URL.
import { systemClock } from '../../dist/core/clock.js';
import { Secret } from '../../dist/core/secret.js';
import { startDemoStore } from '../../dist/demo/store/demo-store.js';

const store = await startDemoStore({
  accessKeyId: 'STOREKEY',
  secretAccessKey: new Secret(process.env.STORE_SECRET),
  region: 'us-east-1',
  clock: systemClock,
});
process.stdout.write(`${store.url}\n`);
