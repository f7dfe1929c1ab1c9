import type { Server } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const idleSweepMs = 100;

/** How long connections that are being reset may take to be gone. */
const resettingMs = 1_000;

/**
 * Closes a listener: refuses new connections, closes idle ones at once, and lets requests run until the deadline. Resolves soon after
 * that in any case: a connection that Node has lost track of must not keep the process from ending.
 */
export async function closeServer(server: Server, deadlineMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let timer = setTimeout(() => {
      server.closeAllConnections();
      timer = setTimeout(() => {
        clearInterval(sweep);
        resolve();
      }, resettingMs);
    }, deadlineMs);
    // Kept-alive connections that become idle later would otherwise stay open until their own timeout.
    const sweep = setInterval(() => server.closeIdleConnections(), idleSweepMs);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve();
    });
  });
}

/**
 * The same, and waits for requests that go on without their client: a store that puts an upload together must not lose its
 * connection.
 */
export async function drain(
  server: Server,
  places: { readonly inFlight: number },
  deadlineMs: number,
): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  await closeServer(server, deadlineMs);
  while (places.inFlight > 0 && performance.now() < endsAtMs) await sleep(idleSweepMs);
}

/** Starts listening; resolves with the port, which the system chooses for port 0. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
