import { type RawRequest, readRawRequest } from '../../src/core/raw-request.ts';

/** The instant every unit test happens at. */
export const testNowMs: number = Date.parse('2026-11-22T12:00:00Z');

/** One request as it would stand on the wire, latin1 text. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Reads a request the way the edge does. */
export function toRawRequest(wire: WireRequest, nowMs: number = testNowMs): RawRequest | undefined {
  const { method, target, headers } = wire;
  return readRawRequest(
    { method, url: target, rawHeaders: headers.flat() },
    { clientAddress: '192.0.2.1', isSecure: false, receivedAtMs: nowMs, requestId: 'TEST' },
  );
}
