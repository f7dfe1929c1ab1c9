/** How far the first message of a connection has come. */
export type HelloState = 'incomplete' | 'complete' | 'not_tls';

/** Longest ClientHello. Clients send some 2 KiB, with a key share of a post-quantum algorithm and a session ticket. */
const maxHelloBytes: number = 16 * 1024;
const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
const maxRecordBytes: number = 16 * 1024;
const handshakeRecord = 22;
const clientHello = 1;

/**
 * Looks whether a whole ClientHello has arrived (RFC 8446, sections 4.1.2 and 5.1), without reading what it says. It may be spread
 * over several records, but for its header.
 */
export function helloState(bytes: Buffer): HelloState {
  let needed: number | undefined;
  let at = 0;
  for (;;) {
    if (at < bytes.length && bytes[at] !== handshakeRecord) return 'not_tls';
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return 'not_tls';
    if (bytes.length - at < recordHeaderBytes) return 'incomplete';
    const length = bytes.readUInt16BE(at + 3);
    if (length > maxRecordBytes || length < (needed === undefined ? messageHeaderBytes : 1)) return 'not_tls';
    at += recordHeaderBytes;
    if (needed === undefined) {
      if (bytes.length - at < messageHeaderBytes) return isHello(bytes[at]) ? 'incomplete' : 'not_tls';
      needed = messageHeaderBytes + bytes.readUIntBE(at + 1, 3);
      if (!isHello(bytes[at]) || needed > maxHelloBytes) return 'not_tls';
    }
    needed -= Math.min(length, bytes.length - at);
    if (needed <= 0) return 'complete';
    at += length;
    if (at > bytes.length) return 'incomplete';
  }
}

function isHello(type: number | undefined): boolean {
  return type === undefined || type === clientHello;
}
