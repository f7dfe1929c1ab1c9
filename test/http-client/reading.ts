import type { AnswerHead } from '../../src/http-client/answer-head.ts';
import { AnswerParser } from '../../src/http-client/answer-parser.ts';
import { HttpFault } from '../../src/http-client/http-fault.ts';

/** One answer as it was read; `fault` when it was refused. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly isReusable: boolean;
}

/** Reads the pieces of one answer, then an orderly end if there is more to come. */
export function readAnswer(pieces: readonly Buffer[], isHead = false): ReadAnswer | string {
  let head: AnswerHead | undefined;
  const data: Buffer[] = [];
  const parser = new AnswerParser(isHead, {
    onHead: (arrived) => {
      head = arrived;
    },
    onData: (piece) => data.push(piece),
  });
  try {
    // What is pushed belongs to the parser.
    for (const piece of pieces) parser.push(Buffer.from(piece));
    const wasEnded = parser.isEnded;
    parser.end();
    if (head === undefined) throw new Error('there is no head at the end');
    const { status, headers } = head;
    const body = Buffer.concat(data).toString('latin1');
    return { status, headers, body, isReusable: wasEnded && parser.isReusable };
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    return error.reason;
  }
}

/** A text in pieces of one byte. */
export function bytewise(text: string): Buffer[] {
  return [...Buffer.from(text, 'latin1')].map((byte) => Buffer.of(byte));
}
