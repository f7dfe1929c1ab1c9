/**
 * Tables of a bit-reflected CRC for eight bytes at a time ("slicing by 8"), as two 32-bit halves: table `n` at
 * `256 * n` advances a byte by `n` further bytes of zeros.
 */
interface SliceTables {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

const slices = 8;

function buildTables(polynomialHigh: number, polynomialLow: number): SliceTables {
  const tables = { low: new Int32Array(256 * slices), high: new Int32Array(256 * slices) };
  for (let byte = 0; byte < 256; byte += 1) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | ((high & 1) << 31);
      high >>>= 1;
      if (isOdd) {
        low ^= polynomialLow;
        high ^= polynomialHigh;
      }
    }
    tables.low[byte] = low;
    tables.high[byte] = high;
  }
  for (let index = 256; index < 256 * slices; index += 1) {
    const low = entry(tables.low, index - 256);
    const high = entry(tables.high, index - 256);
    tables.low[index] = ((low >>> 8) | (high << 24)) ^ entry(tables.low, low & 0xff);
    tables.high[index] = (high >>> 8) ^ entry(tables.high, low & 0xff);
  }
  return tables;
}

function entry(table: Int32Array, index: number): number {
  return table[index] ?? 0;
}

const castagnoli = buildTables(0, 0x82f63b78);
const nvme = buildTables(0x9a6c9329, 0xac4bc9b5);

/**
 * CRC-32C (Castagnoli) of `data`, continuing from the CRC of what came before it.
 * Source: RFC 3720 appendix B.4.
 */
export function crc32c(data: Uint8Array, previous = 0): number {
  const { low: table } = castagnoli;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = data.length - (data.length % slices);
  let crc = ~previous;
  for (let index = 0; index < end; index += slices) {
    const first = crc ^ view.getInt32(index, true);
    const second = view.getInt32(index + 4, true);
    crc =
      entry(table, 1792 + (first & 0xff)) ^
      entry(table, 1536 + ((first >>> 8) & 0xff)) ^
      entry(table, 1280 + ((first >>> 16) & 0xff)) ^
      entry(table, 1024 + (first >>> 24)) ^
      entry(table, 768 + (second & 0xff)) ^
      entry(table, 512 + ((second >>> 8) & 0xff)) ^
      entry(table, 256 + ((second >>> 16) & 0xff)) ^
      entry(table, second >>> 24);
  }
  for (let index = end; index < data.length; index += 1) {
    crc = (crc >>> 8) ^ entry(table, (crc ^ view.getUint8(index)) & 0xff);
  }
  return ~crc >>> 0;
}

/** The two halves of a 64-bit CRC, unsigned. */
export interface Crc64 {
  readonly high: number;
  readonly low: number;
}

/** The CRC of nothing. */
const emptyCrc64: Crc64 = { high: 0, low: 0 };

/**
 * CRC-64/NVME of `data`, continuing from the CRC of what came before it.
 * Source: NVM Express NVM Command Set 1.0, 64b CRC.
 */
export function crc64nvme(data: Uint8Array, previous: Crc64 = emptyCrc64): Crc64 {
  const { low: lows, high: highs } = nvme;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = data.length - (data.length % slices);
  let low = ~previous.low;
  let high = ~previous.high;
  for (let index = 0; index < end; index += slices) {
    const first = low ^ view.getInt32(index, true);
    const second = high ^ view.getInt32(index + 4, true);
    const i0 = 1792 + (first & 0xff);
    const i1 = 1536 + ((first >>> 8) & 0xff);
    const i2 = 1280 + ((first >>> 16) & 0xff);
    const i3 = 1024 + (first >>> 24);
    const i4 = 768 + (second & 0xff);
    const i5 = 512 + ((second >>> 8) & 0xff);
    const i6 = 256 + ((second >>> 16) & 0xff);
    const i7 = second >>> 24;
    low = xorOf(lows, i0, i1, i2, i3) ^ xorOf(lows, i4, i5, i6, i7);
    high = xorOf(highs, i0, i1, i2, i3) ^ xorOf(highs, i4, i5, i6, i7);
  }
  for (let index = end; index < data.length; index += 1) {
    const slot = (low ^ view.getUint8(index)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ entry(lows, slot);
    high = (high >>> 8) ^ entry(highs, slot);
  }
  return { high: ~high >>> 0, low: ~low >>> 0 };
}

function xorOf(table: Int32Array, a: number, b: number, c: number, d: number): number {
  return entry(table, a) ^ entry(table, b) ^ entry(table, c) ^ entry(table, d);
}
