import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BodyFault } from '../../src/core/body-fault.ts';
import { stopReading } from '../../src/edge/stop-reading.ts';

it('a body that is malformed in many reads before it is consumed reports one fault', async () => {
  const message = new IncomingMessage(new Socket());
  for (let read = 0; read < 20; read += 1) stopReading(message, new BodyFault('chunk_malformed'));
  expect(message.listenerCount('newListener')).toBe(1);
  const faults: unknown[] = [];
  message.on('error', (fault) => faults.push(fault));
  await setImmediate();
  expect(faults).toEqual([new BodyFault('chunk_malformed')]);
});
