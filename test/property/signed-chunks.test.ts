import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, inject, it, vi } from 'vitest';
import { BodyFault } from '../../src/core/body-fault.ts';
import { Secret } from '../../src/core/secret.ts';
import { ChunkedCheck, type Chunking } from '../../src/forward/body-check.ts';
import { HeaderChecks } from '../../src/forward/header-checks.ts';
import type { ChunkSeed } from '../../src/sigv4/chunk-signatures.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { type ClientSeed, cutInto, joinParts, signedParts } from '../support/signed-chunks.ts';
import { type Random, randomFrom } from './http-answers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    signedBodies: number | undefined;
  }
}

const runs = inject('signedBodies') ?? 20_000;
vi.setConfig({ testTimeout: 60_000 + runs });

const scope = { date: '20260101', region: 'us-east-1', service: 's3' };
const secretAccessKey = 'secret/of+the+test';
const timestamp = '20260101T000000Z';
const { key } = new SigningKeyCache().find(new Secret(secretAccessKey), scope);

/** A body that a client has signed. */
interface SignedBody {
  readonly chunking: Chunking & { readonly seed: ChunkSeed };
  readonly wire: Buffer;
  readonly meaning: string;
}

const announced = { name: 'x-amz-checksum-crc32', algorithm: 'crc32' } as const;

const lengths = [0, 1, 100, 8191, 8192, 8193, 16_384, 20_000];
const chunkLengths = [8192, 8200, 9000, 16_384, 65_536];

function signedBody(random: Random): SignedBody {
  const signature = random(2 ** 30)
    .toString(16)
    .padStart(64, 'a');
  const clientSeed: ClientSeed = { secretAccessKey, timestamp, region: scope.region, signature };
  const length = lengths[random(lengths.length)] ?? 0;
  const data = Buffer.from(Array.from({ length }, () => random(256)));
  const chunks = cutInto(data, chunkLengths[random(chunkLengths.length)] ?? 8192);
  const lineEnd = random(4) === 0 ? '\n\r\n' : '\r\n';
  const trailer = random(2) === 0 ? undefined : { name: announced.name, value: crc32Of(data), lineEnd };
  return {
    chunking: {
      decodedLength: length,
      trailer: trailer && announced,
      seed: { key, timestamp, scope, signature },
    },
    wire: joinParts(signedParts(chunks, clientSeed, trailer)),
    meaning: hash('sha256', data),
  };
}

function crc32Of(data: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(data));
  return bytes.toString('base64');
}

/** What is made of a body that arrives in random pieces: the digest of its data, or the reason of a refusal. */
function read({ chunking }: SignedBody, wire: Buffer, random: Random): string {
  const check = new ChunkedCheck(chunking, new HeaderChecks([]));
  const most = [1 + random(40), 1 + random(9000), wire.length + 1][random(3)] ?? 1;
  const data: Buffer[] = [];
  try {
    for (let index = 0; index < wire.length; ) {
      const isFraming = index < 200 || index > wire.length - 400;
      const end = index + (most < 41 && !isFraming ? 300 : 1 + random(most));
      data.push(...check.take(wire.subarray(index, end)));
      index = end;
    }
    check.finish();
    return hash('sha256', Buffer.concat(data));
  } catch (error) {
    if (error instanceof BodyFault) return error.reason;
    throw error;
  }
}

/** A place in a body, most of the time in its framing. */
function place(wire: Buffer, random: Random): number {
  const near = Math.min(wire.length, 400);
  const at = [random(Math.min(wire.length, 120)), wire.length - 1 - random(near), random(wire.length)];
  return at[random(3)] ?? 0;
}

const pieces = [
  '\r\n',
  '\n',
  '0',
  ';',
  ':',
  'f',
  ' ',
  '0\r\n',
  'x-amz-checksum-crc32:AAAA\r\n',
  '\r\n\r\n',
  '-',
];

/** The same bytes with a change somewhere. */
function changed(wire: Buffer, other: Buffer, random: Random): Buffer {
  const at = place(wire, random);
  const [before, after] = [wire.subarray(0, at), wire.subarray(at)];
  switch (random(7)) {
    case 0:
      return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << random(8))]), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, after.subarray(1 + random(3))]);
    case 2:
      return Buffer.concat([before, Buffer.from(pieces[random(pieces.length)] ?? ''), after]);
    case 3:
      return before;
    case 4:
      return Buffer.concat([before, wire.subarray(place(wire, random))]);
    case 5:
      return Buffer.concat([before, other.subarray(place(other, random))]);
    default:
      return Buffer.concat([wire, after]);
  }
}

it('takes nothing from a signed body but what was signed, however it arrives and whatever was changed', () => {
  const seed = Date.now() % 2 ** 31;
  const random = randomFrom(seed);
  const bodies = Array.from({ length: 200 }, () => signedBody(random));
  const counts = { whole: 0, equivalent: 0, refused: 0 };
  for (let run = 0; run < runs; run += 1) {
    const body = bodies[random(bodies.length)];
    const other = bodies[random(bodies.length)];
    if (body === undefined || other === undefined) throw new Error('there are bodies');
    if (random(5) === 0) {
      expect(read(body, body.wire, random), `seed ${seed}`).toBe(body.meaning);
      counts.whole += 1;
      continue;
    }
    const outcome = read(body, changed(body.wire, other.wire, random), random);
    if (outcome === body.meaning) counts.equivalent += 1;
    else if (/^[a-z_]*_[a-z_]*$|^incomplete$/.test(outcome)) counts.refused += 1;
    else expect(outcome, `seed ${seed}`).toBe(body.meaning);
  }
  expect(counts.whole).toBeGreaterThan(runs / 10);
  expect(counts.refused).toBeGreaterThan(runs / 2);
  // Case of hexadecimal digits, zeros before a size, white space in the trailer, a last line end that is missing.
  expect(counts.equivalent).toBeLessThan(runs / 10);
});
