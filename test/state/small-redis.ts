import { createServer, type Server, type Socket } from 'node:net';
import { deleteOwnScript } from '../../src/state/redis-scripts.ts';

/** A server of Redis's protocol (RESP 3) that can only set keys, and delete one that has a given value. */
export interface SmallRedis {
  readonly port: number;
  /** Names of the keys that were set, in order, also those that were there already. */
  readonly set: string[];
  /** The words of every command besides the handshake, in the order in which they were carried out. */
  readonly commands: (readonly string[])[];
  /** Carries out nothing until {@link SmallRedis.resume}; connections stay open. */
  pause(): void;
  /** Carries out what has arrived; the answers are written when it returns. */
  resume(): void;
  /** Never answers again on the connections that are open now, as a machine that is gone behind an address that lives on. */
  hang(): void;
  /** True when something has arrived that is not carried out yet. */
  hasWaiting(): boolean;
  close(): Promise<void>;
}

/** Starts one on a port of 127.0.0.1; 0 lets the system choose. */
export async function startSmallRedis(port = 0): Promise<SmallRedis> {
  const set: string[] = [];
  const commands: (readonly string[])[] = [];
  const keys = new Map<string, string>();
  let isPaused = false;
  let resumed = new Set<() => void>();
  const sockets = new Set<Socket>();
  const hung = new Set<Socket>();
  const answer = (words: readonly string[]): string => {
    const [name = '', key = '', value = ''] = words;
    if (name.toUpperCase() === 'HELLO') return '%1\r\n$5\r\nproto\r\n:3\r\n';
    if (name.toUpperCase() === 'CLIENT') return '+OK\r\n';
    commands.push(words);
    if (name.toUpperCase() === 'EVAL') return `:${evaluate(words)}\r\n`;
    if (name.toUpperCase() !== 'SET') return '+OK\r\n';
    set.push(key);
    if (keys.has(key)) return '_\r\n';
    keys.set(key, value);
    return '+OK\r\n';
  };
  /** Runs the one script that it knows. Any other does nothing. */
  const evaluate = ([, script, , key = '', value]: readonly string[]): number =>
    script === deleteOwnScript && keys.get(key) === value && keys.delete(key) ? 1 : 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const work = (): void => {
      for (let command = takeCommand(text); command !== undefined; command = takeCommand(text)) {
        text = command.rest;
        socket.write(answer(command.words));
      }
    };
    socket.on('data', (chunk) => {
      if (hung.has(socket)) return;
      text += chunk.toString('latin1');
      if (isPaused) resumed.add(work);
      else work();
    });
  });
  await listen(server, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    port: address.port,
    set,
    commands,
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      const waiting = resumed;
      resumed = new Set();
      for (const work of waiting) work();
    },
    hang: () => {
      for (const socket of sockets) hung.add(socket);
    },
    hasWaiting: () => resumed.size > 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** The first command of a text, an array of bulk strings; `undefined` while it is incomplete. */
function takeCommand(text: string): { readonly words: string[]; readonly rest: string } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  for (let left = Number(head[1]); left > 0; left -= 1) {
    const [line = '', length] = /^\$(\d+)\r\n/.exec(text.slice(at)) ?? [];
    if (length === undefined) return undefined;
    at += line.length;
    const end = at + Number(length);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return { words, rest: text.slice(at) };
}
