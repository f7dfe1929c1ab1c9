import { createCipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** Types of records (RFC 5246, section 6.2.1). */
export const handshakeType = 22;
export const dataType = 23;

/** An established session of TLS 1.2 whose records are made here, of any type and length. */
export interface RecordSession {
  /** The connection below TLS; its errors are not thrown. */
  readonly socket: Socket;
  /** The next record, encrypted. */
  readonly record: (type: number, payload: Buffer) => Buffer;
}

/** The pseudorandom function of TLS 1.2 with SHA-256 (RFC 5246, section 5). */
function derive(secret: Buffer, seed: Buffer, length: number): Buffer {
  const hmac = (data: Buffer): Buffer => createHmac('sha256', secret).update(data).digest();
  let derived = Buffer.alloc(0);
  let link = seed;
  while (derived.length < length) {
    link = hmac(link);
    derived = Buffer.concat([derived, hmac(Buffer.concat([link, seed]))]);
  }
  return derived.subarray(0, length);
}

/** Establishes a session with Node's client, then takes the connection over with the keys of the session. */
export async function recordSession(url: string, ca: string): Promise<RecordSession> {
  const socket = connectTcp({ host: '127.0.0.1', port: Number(new URL(url).port) });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  let firstFlight = Buffer.alloc(0);
  const below = new Duplex({ read: () => undefined, write: (bytes, _, done) => socket.write(bytes, done) });
  const onData = (bytes: Buffer): void => {
    firstFlight = Buffer.concat([firstFlight, bytes]);
    below.push(bytes);
  };
  socket.on('data', onData);
  const client = connect({
    socket: below,
    ca,
    servername: 'localhost',
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  });
  client.on('error', () => undefined);
  let keyLine = '';
  client.on('keylog', (line) => {
    keyLine = line.toString('latin1');
  });
  await once(client, 'secureConnect');
  socket.off('data', onData).resume();
  const [, clientRandom = '', master = ''] = keyLine.trim().split(' ');
  // After the headers of the record and of ServerHello, and the version.
  const serverRandom = firstFlight.subarray(11, 43);
  const seed = Buffer.concat([Buffer.from('key expansion'), serverRandom, Buffer.from(clientRandom, 'hex')]);
  const keys = derive(Buffer.from(master, 'hex'), seed, 40);
  // The client's Finished was number 0.
  let sequence = 0n;
  const record = (type: number, payload: Buffer): Buffer => {
    sequence += 1n;
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(sequence);
    const cipher = createCipheriv(
      'aes-128-gcm',
      keys.subarray(0, 16),
      Buffer.concat([keys.subarray(32, 36), number]),
    );
    const version = [type, 3, 3];
    cipher.setAAD(Buffer.from([...number, ...version, payload.length >> 8, payload.length & 0xff]));
    const sealed = Buffer.concat([number, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
    return Buffer.concat([Buffer.from([...version, sealed.length >> 8, sealed.length & 0xff]), sealed]);
  };
  return { socket, record };
}
