import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, startDaemon } from '../daemon.ts';
import { freePorts } from '../free-ports.ts';

/** A real Redis that keeps nothing on disk, so that a restart loses everything. */
export interface RedisServer {
  readonly url: string;
  /** Stops answering; connections stay open. */
  pause(): void;
  resume(): void;
  /** Ends it; connections are refused. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with nothing in it. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it on a free port, or starts nothing yet; `args` are further options of `redis-server`. */
export async function startRedis({
  args = [],
  isStarted = true,
}: {
  args?: readonly string[];
  isStarted?: boolean;
} = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const [port = 0] = await freePorts(1);
  let daemon: Daemon | undefined;
  const restart = async (): Promise<void> => {
    const plain = args.includes('--tls-port') ? [] : ['--port', String(port)];
    daemon = await startDaemon('redis-server', [
      ...plain,
      ...args.map((arg) => (arg === 'PORT' ? String(port) : arg)),
      ...['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
    ]);
    await untilListening(port);
  };
  const stop = async (): Promise<void> => {
    if (daemon?.isRunning() === true) process.kill(daemon.pid, 'SIGCONT');
    await daemon?.stop(5000);
  };
  if (isStarted) await restart();
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => void process.kill(daemon?.pid ?? 0, 'SIGSTOP'),
    resume: () => void process.kill(daemon?.pid ?? 0, 'SIGCONT'),
    stop,
    restart,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until a port of 127.0.0.1 accepts connections. */
export async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => undefined);
      setTimeout(() => socket.destroy(), 500).unref();
    });
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error('Redis does not listen');
}
