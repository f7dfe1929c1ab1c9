import { connect } from 'node:net';
import type { WireRequest } from './raw-requests.ts';

/** A request as bytes, latin1; asks for the connection to be closed so that the answer has an end. */
export function toBytes({ method, target, headers }: WireRequest, body = ''): string {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${target} HTTP/1.1\r\nConnection: close\r\n${fields}\r\n${body}`;
}

/** Writes bytes to a server's socket and reads the answer until it closes or falls silent. */
export function exchange(url: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Status and S3 code of an answer. */
export function summary(answer: string): string {
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'no answer';
  const code = /<Code>(\w+)<\/Code>/.exec(answer)?.[1] ?? '';
  return `${status} ${code}`.trim();
}
