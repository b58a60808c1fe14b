// MurmurHash3, the 128-bit x64 variant with seed 0, as Guava prints it: by it Flink names the operators of a job.
const mask = (1n << 64n) - 1n;
const c1 = 0x87c37b91114253d5n;
const c2 = 0x4cf5ad432745937fn;

/** The 16 bytes of the hash. */
export function murmur3(bytes: Uint8Array): Buffer {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = input.length - (input.length % 16);
  let h1 = 0n;
  let h2 = 0n;
  for (let at = 0; at < whole; at += 16) {
    h1 = mixFirst(h1, input.readBigUInt64LE(at));
    h1 = (((rotate(h1, 27n) + h2) & mask) * 5n + 0x52dce729n) & mask;
    h2 = mixSecond(h2, input.readBigUInt64LE(at + 8));
    h2 = (((rotate(h2, 31n) + h1) & mask) * 5n + 0x38495ab5n) & mask;
  }
  const tail = Buffer.alloc(16);
  input.copy(tail, 0, whole);
  return finish(mixFirst(h1, tail.readBigUInt64LE(0)), mixSecond(h2, tail.readBigUInt64LE(8)), BigInt(input.length));
}

function finish(first: bigint, second: bigint, length: bigint): Buffer {
  let h1 = first ^ length;
  let h2 = second ^ length;
  h1 = (h1 + h2) & mask;
  h2 = (h2 + h1) & mask;
  h1 = avalanche(h1);
  h2 = avalanche(h2);
  h1 = (h1 + h2) & mask;
  h2 = (h2 + h1) & mask;
  const hash = Buffer.alloc(16);
  hash.writeBigUInt64LE(h1, 0);
  hash.writeBigUInt64LE(h2, 8);
  return hash;
}

function mixFirst(h1: bigint, k1: bigint): bigint {
  return h1 ^ ((rotate((k1 * c1) & mask, 31n) * c2) & mask);
}

function mixSecond(h2: bigint, k2: bigint): bigint {
  return h2 ^ ((rotate((k2 * c2) & mask, 33n) * c1) & mask);
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & mask;
}

function avalanche(value: bigint): bigint {
  let h = value;
  h = ((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn) & mask;
  h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask;
  return h ^ (h >> 33n);
}
