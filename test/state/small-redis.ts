import { createServer, type Server, type Socket } from 'node:net';

/** A server of Redis's protocol (RESP 3) that can only set keys. */
export interface SmallRedis {
  readonly port: number;
  /** Names of the keys that were set, in order, also those that were there already. */
  readonly set: string[];
  close(): Promise<void>;
}

/** Starts one on a port of 127.0.0.1; 0 lets the system choose. */
export async function startSmallRedis(port = 0): Promise<SmallRedis> {
  const set: string[] = [];
  const keys = new Set<string>();
  const sockets = new Set<Socket>();
  const answer = ([name = '', key = '']: readonly string[]): string => {
    if (name.toUpperCase() === 'HELLO') return '%1\r\n$5\r\nproto\r\n:3\r\n';
    if (name.toUpperCase() !== 'SET') return '+OK\r\n';
    set.push(key);
    if (keys.has(key)) return '_\r\n';
    keys.add(key);
    return '+OK\r\n';
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let command = takeCommand(text); command !== undefined; command = takeCommand(text)) {
        text = command.rest;
        socket.write(answer(command.words));
      }
    });
  });
  await listen(server, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    port: address.port,
    set,
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
