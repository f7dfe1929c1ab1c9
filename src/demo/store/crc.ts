/** Table-driven, bit-reflected CRCs of up to 64 bits, kept as two 32-bit halves. */
interface CrcTable {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

function buildTable(polynomialHigh: number, polynomialLow: number): CrcTable {
  const table = { high: new Uint32Array(256), low: new Uint32Array(256) };
  for (let byte = 0; byte < 256; byte += 1) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | ((high & 1) << 31);
      high >>>= 1;
      if (isOdd) {
        low ^= polynomialLow;
        high ^= polynomialHigh;
      }
    }
    table.high[byte] = high;
    table.low[byte] = low;
  }
  return table;
}

function update(table: CrcTable, body: Uint8Array, startHigh: number): { high: number; low: number } {
  let high = startHigh;
  let low = -1;
  for (const byte of body) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (table.low[index] ?? 0);
    high = (high >>> 8) ^ (table.high[index] ?? 0);
  }
  return { high, low };
}

const castagnoli = buildTable(0, 0x82f63b78);
const nvme = buildTable(0x9a6c9329, 0xac4bc9b5);

/** CRC-32C (Castagnoli), 4 bytes, big-endian. Source: RFC 3720 appendix B.4. */
export function crc32c(body: Uint8Array): Buffer {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(~update(castagnoli, body, 0).low >>> 0);
  return digest;
}

/** CRC-64/NVME, 8 bytes, big-endian. Source: NVM Express NVM Command Set 1.0, 64b CRC. */
export function crc64nvme(body: Uint8Array): Buffer {
  const { high, low } = update(nvme, body, -1);
  const digest = Buffer.alloc(8);
  digest.writeUInt32BE(~high >>> 0, 0);
  digest.writeUInt32BE(~low >>> 0, 4);
  return digest;
}
