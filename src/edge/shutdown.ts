import type { Server } from 'node:http';

const idleSweepMs = 100;

/** Closes a listener: refuses new connections, closes idle ones at once, and lets requests run until the deadline. */
export async function closeServer(server: Server, deadlineMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
    // Kept-alive connections that become idle later would otherwise stay open until their own timeout.
    const sweep = setInterval(() => server.closeIdleConnections(), idleSweepMs);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve();
    });
  });
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
