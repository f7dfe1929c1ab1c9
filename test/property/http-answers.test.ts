import { type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import { expect, inject, it, vi } from 'vitest';
import { type ReadAnswer, readAnswer } from '../http-client/reading.ts';
import { type GeneratedAnswer, generateAnswer, randomFrom } from './http-answers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    httpAnswers: number | undefined;
  }
}

const runs = inject('httpAnswers') ?? 20_000;
vi.setConfig({ testTimeout: 30_000 + runs });

type NodeAnswer = Omit<ReadAnswer, 'isReusable'>;

/** A connection whose other end sends these pieces and ends in order. */
function sending(pieces: readonly Buffer[]): Duplex {
  const left = [...pieces];
  return new Duplex({
    read() {
      this.push(left.shift() ?? null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
}

/** How Node's own client reads an answer; `undefined` when it refuses it. */
function readByNode({ pieces, isHead }: GeneratedAnswer): Promise<NodeAnswer | undefined> {
  return new Promise((resolve) => {
    let answer: IncomingMessage | undefined;
    const data: Buffer[] = [];
    const asked = request({
      method: isHead ? 'HEAD' : 'GET',
      insecureHTTPParser: false,
      maxHeaderSize: 131_072,
      createConnection: () => sending(pieces),
    });
    asked.on('response', (arrived) => {
      answer = arrived;
      arrived.on('data', (piece: Buffer) => data.push(piece));
      arrived.on('error', () => undefined);
    });
    // Node treats an upgrade that was not asked for apart; our client always refuses it.
    asked.on('upgrade', (_answer, socket) => socket.destroy());
    asked.on('error', () => undefined);
    asked.on('close', () => {
      if (answer?.complete !== true) return resolve(undefined);
      const { statusCode: status = 0, rawHeaders } = answer;
      const headers = rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
      resolve({ status, headers, body: Buffer.concat(data).toString('latin1') });
    });
    asked.end();
  });
}

async function compare(generated: GeneratedAnswer): Promise<boolean> {
  const ours = readAnswer(generated.pieces, generated.isHead);
  if (typeof ours === 'string') return false;
  const { isReusable: _, ...read } = ours;
  const text = Buffer.concat(generated.pieces).toString('latin1');
  expect(await readByNode(generated), JSON.stringify([generated.isHead, text])).toEqual(read);
  return true;
}

it.each([1, 2, 3, 4])(
  `reads what it accepts as Node’s own parser does, and accepts nothing else (seed %i of 4, ${runs} answers in all)`,
  async (seed) => {
    const random = randomFrom(seed);
    let accepted = 0;
    for (let left = runs / 4; left > 0; left -= 100) {
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => compare(generateAnswer(random))));
      accepted += outcomes.filter(Boolean).length;
    }
    // Some answers must be accepted and some refused, or the generator tests nothing.
    expect(accepted / (runs / 4)).toBeGreaterThan(0.15);
    expect(accepted / (runs / 4)).toBeLessThan(0.7);
  },
);
