import { createHash, createHmac } from 'node:crypto';

/** What a client signs the chunks of one body with. */
export interface ClientSeed {
  readonly secretAccessKey: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
  readonly region: string;
  /** The signature of the request. */
  readonly signature: string;
}

/** One chunk, or the trailer, as it stands on the wire: what comes before its signature, and what comes after. */
export interface SignedPart {
  readonly before: Buffer;
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
  readonly after: Buffer;
}

/** The seed of a signed request, from its head as it is sent. */
export function seedOf(head: string, secretAccessKey: string): ClientSeed {
  const [, region = '', signature = ''] =
    /^authorization: .*Credential=[^/]+\/\d{8}\/([^/]*)\/.*Signature=([0-9a-f]{64})/im.exec(head) ?? [];
  const [, timestamp = ''] = /^x-amz-date: (\S+)/im.exec(head) ?? [];
  return { secretAccessKey, timestamp, region, signature };
}

/** A seed that signs nothing that anybody verifies. */
export const anySeed: ClientSeed = {
  secretAccessKey: 'any',
  timestamp: '20260101T000000Z',
  region: 'us-east-1',
  signature: '0'.repeat(64),
};

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

/** Signs the way the documents of AWS say, without any code of `src`: the key, and each link of the chain. */
class Chain {
  readonly #key: Buffer;
  readonly #suffix: string;
  #previous: string;

  constructor({ secretAccessKey, timestamp, region, signature }: ClientSeed) {
    const date = timestamp.slice(0, 8);
    let key = Buffer.from(`AWS4${secretAccessKey}`);
    for (const piece of [date, region, 's3', 'aws4_request'])
      key = createHmac('sha256', key).update(piece).digest();
    this.#key = key;
    this.#suffix = `${timestamp}\n${date}/${region}/s3/aws4_request`;
    this.#previous = signature;
  }

  sign(algorithm: string, digests: string): string {
    const text = `${algorithm}\n${this.#suffix}\n${this.#previous}\n${digests}`;
    this.#previous = createHmac('sha256', this.#key).update(text).digest('hex');
    return this.#previous;
  }
}

/** The checksum that follows the chunks. */
export interface ClientTrailer {
  readonly name: string;
  /** In base64; need not be right. */
  readonly value: string;
  /** How the field ends: minio-go writes a line feed before the CRLF. */
  readonly lineEnd?: string;
}

/** The chunks of a body, the last one empty, and the trailer, if there is one; each is rightly signed. */
export function signedParts(
  chunks: readonly Buffer[],
  seed: ClientSeed,
  trailer?: ClientTrailer,
): SignedPart[] {
  const chain = new Chain(seed);
  const parts = [...chunks, Buffer.alloc(0)].map((data): SignedPart => {
    const signature = chain.sign('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(data)}`);
    const before = Buffer.from(`${data.length.toString(16)};chunk-signature=`);
    const isLast = data.length === 0;
    return { before, signature, after: Buffer.concat([crlf, data, isLast ? Buffer.alloc(0) : crlf]) };
  });
  if (trailer === undefined) return [...parts.slice(0, -1), closed(parts.at(-1))];
  const { name, value, lineEnd = '\r\n' } = trailer;
  const signature = chain.sign('AWS4-HMAC-SHA256-TRAILER', sha256(`${name}:${value}\n`));
  const before = Buffer.from(`${name}:${value}${lineEnd}x-amz-trailer-signature:`);
  return [...parts, { before, signature, after: Buffer.from('\r\n\r\n') }];
}

const crlf = Buffer.from('\r\n');

function closed(last: SignedPart | undefined): SignedPart {
  if (last === undefined) throw new Error('there is always a last chunk');
  return { ...last, after: Buffer.concat([last.after, crlf]) };
}

/** The bytes on the wire. */
export function joinParts(parts: readonly SignedPart[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ before, signature, after }) => [before, Buffer.from(signature), after]),
  );
}

/** Data cut into chunks of that many bytes. */
export function cutInto(data: Buffer, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let index = 0; index < data.length; index += chunkBytes)
    chunks.push(data.subarray(index, index + chunkBytes));
  return chunks;
}
