import { connect, type Socket } from 'node:net';
import type { WireRequest } from './raw-requests.ts';

/** A request as bytes, latin1; asks for the connection to be closed so that the answer has an end. */
export function toBytes({ method, target, headers }: WireRequest, body = ''): string {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${target} HTTP/1.1\r\nConnection: close\r\n${fields}\r\n${body}`;
}

/** How long a server may take to answer, busy as the machine may be. */
const patienceMs = 20_000;

/**
 * Writes bytes to a server's socket and reads the answer until it closes. When it stays open, the answer is over once it is
 * whole and nothing more has come for `silenceMs`.
 */
export function exchange(url: string, bytes: string, silenceMs = 500): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on('data', (text: string) => {
      answer += text;
      socket.setTimeout(isWhole(answer) ? silenceMs : patienceMs);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** What a server says until its answer is whole, or until it closes; the socket stays open. */
export function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
      if (isWhole(answer)) resolve(answer);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

/** True when an answer is as long as it declares; never for one that ends only with its connection. */
function isWhole(text: string): boolean {
  const [, last = ''] = /^(?:HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)*([\s\S]*)$/.exec(text) ?? [];
  const end = last.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = last.slice(0, end);
  if (/^HTTP\/1\.1 [23]04 /.test(head)) return true;
  const [, length] = /^content-length: (\d+)$/im.exec(head.replaceAll('\r', '')) ?? [];
  if (length === undefined) return last.endsWith('\r\n0\r\n\r\n');
  return last.length - end - 4 >= Number(length);
}

/** Status and S3 code of an answer. */
export function summary(answer: string): string {
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'no answer';
  const code = /<Code>(\w+)<\/Code>/.exec(answer)?.[1] ?? '';
  return `${status} ${code}`.trim();
}
