// Keccak-256 over bytes that already lie in WebAssembly memory.
//
// Keccak is most of the cost of proving a block, and most of what is hashed was just encoded. So the
// encoder writes into this memory, and a hash is one call with an offset and a length: no copies, no
// objects. The module is assembled here at start (about 2 KB), from the description of the
// permutation in FIPS 202, section 3.2, with the original Keccak padding that Ethereum uses.

import { instantiate } from "../../web-assembly.js";

interface KeccakExports {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  keccak256(from: number, length: number, to: number): void;
}

export interface Keccak {
  /** The bytes that can be hashed. Taken anew after every `grow`. */
  memory(): Buffer;
  /** Makes the memory at least this long. Buffers from `memory()` are detached by it. */
  grow(bytes: number): void;
  /** Writes the 32 bytes of the hash of `[from, from + length)` at `to`. */
  hash(from: number, length: number, to: number): void;
}

/** Below this offset the memory belongs to the hash function itself. */
export const KECCAK_RESERVED = 512;

const PAGE = 65_536;
const MEMORY_MAX = 256 * 1024 * 1024;
const RATE = 136;

/** Offset of the 24 round constants, and of the last, padded block of a message. */
const ROUND_CONSTANTS_AT = 0;
const LAST_BLOCK_AT = 192;

/**
 * Creates a Keccak-256 with a memory of its own. Synchronous; takes under a millisecond.
 *
 * `grow` throws a RangeError beyond 256 MiB.
 */
export function createKeccak(): Keccak {
  const { memory, keccak256 } = instantiate<KeccakExports>(assembleKeccak());
  const view = () => Buffer.from(memory.buffer);
  roundConstants().forEach((constant, i) => {
    view().writeBigUInt64LE(constant, ROUND_CONSTANTS_AT + 8 * i);
  });
  return {
    memory: view,
    grow(bytes) {
      const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
      if (missing > 0) memory.grow(missing);
    },
    hash: keccak256,
  };
}

/** The 24 constants of step iota: bits of a linear feedback shift register (FIPS 202, algorithm 5). */
function roundConstants(): bigint[] {
  let lfsr = 1;
  return Array.from({ length: 24 }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j += 1) {
      if (lfsr & 1) constant |= 1n << BigInt(2 ** j - 1);
      lfsr = (lfsr << 1) ^ (lfsr & 0x80 ? 0x171 : 0);
    }
    return constant;
  });
}

// What follows is the module, in the binary format of the WebAssembly core specification, chapter 5.

const I32 = 0x7f;
const I64 = 0x7e;

const local = { get: (i: number) => [0x20, i], set: (i: number) => [0x21, i], tee: (i: number) => [0x22, i] };
const i32 = {
  const: (n: number) => [0x41, ...signed(n)],
  add: [0x6a],
  sub: [0x6b],
  isZero: [0x45],
  lessUnsigned: [0x49],
  store8: [0x3a, 0, 0],
  load8: [0x2d, 0, 0],
  or: [0x72],
};
const i64 = {
  load: (offset: number) => [0x29, 0, ...unsigned(offset)],
  store: (offset: number) => [0x37, 0, ...unsigned(offset)],
  xor: [0x85],
  and: [0x83],
  not: [0x42, 0x7f, 0x85],
  rotateLeft: (bits: number) => [0x42, ...signed(bits), 0x89],
};
const loop = (...body: number[][]) => [0x03, 0x40, ...body.flat(), 0x0b];
const ifTrue = (...body: number[][]) => [0x04, 0x40, ...body.flat(), 0x0b];
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];
const fillMemory = [0xfc, 0x0b, 0];
const copyMemory = [0xfc, 0x0a, 0, 0];

// Locals: three parameters, two numbers, then the state's 25 lanes, their permuted copy, and columns.
const FROM = 0;
const LENGTH = 1;
const TO = 2;
const LAST = 3;
const ROUND = 4;
const LANE = 5;
const MOVED = LANE + 25;
const COLUMN = MOVED + 25;
const LOCALS_I64 = 25 + 25 + 10;

function assembleKeccak(): Uint8Array {
  const body = [
    // Two groups of locals beside the parameters: two i32, then all the i64.
    ...[2, 2, I32, LOCALS_I64, I64],
    ...loop(
      [...local.get(LENGTH), ...i32.const(RATE), ...i32.lessUnsigned, ...ifTrue(padLastBlock())],
      absorb(),
      [...i32.const(ROUND_CONSTANTS_AT), ...local.set(ROUND)],
      loop(
        round(),
        [...local.get(ROUND), ...i32.const(8), ...i32.add, ...local.tee(ROUND)],
        [...i32.const(ROUND_CONSTANTS_AT + 24 * 8), ...i32.lessUnsigned, ...branchIf(0)],
      ),
      [...local.get(LAST), ...i32.isZero, ...ifTrue(nextBlock(), branch(1))],
    ),
    ...[0, 1, 2, 3].flatMap((i) => [...local.get(TO), ...local.get(LANE + i), ...i64.store(8 * i)]),
    0x0b,
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I32, I32, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 1, ...unsigned(16), ...unsigned(MEMORY_MAX / PAGE)]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("keccak256"), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** Copies the rest of the message to the last block, pads it, and makes it the block to absorb. */
function padLastBlock(): number[] {
  const at = (offset: number) => i32.const(LAST_BLOCK_AT + offset);
  return [
    ...[...at(0), ...i32.const(0), ...i32.const(RATE), ...fillMemory],
    ...[...at(0), ...local.get(FROM), ...local.get(LENGTH), ...copyMemory],
    ...[...at(0), ...local.get(LENGTH), ...i32.add, ...i32.const(1), ...i32.store8],
    ...[...at(RATE - 1), ...at(RATE - 1), ...i32.load8, ...i32.const(0x80), ...i32.or, ...i32.store8],
    ...[...at(0), ...local.set(FROM), ...i32.const(1), ...local.set(LAST)],
  ];
}

function nextBlock(): number[] {
  return [
    ...[...local.get(FROM), ...i32.const(RATE), ...i32.add, ...local.set(FROM)],
    ...[...local.get(LENGTH), ...i32.const(RATE), ...i32.sub, ...local.set(LENGTH)],
  ];
}

function absorb(): number[] {
  return Array.from({ length: RATE / 8 }, (_, i) => [
    ...[...local.get(LANE + i), ...local.get(FROM), ...i64.load(8 * i), ...i64.xor, ...local.set(LANE + i)],
  ]).flat();
}

/** One round: theta, then rho and pi while lanes move to their copy, then chi back, and iota. */
function round(): number[] {
  const code: number[] = [];
  const lane = (x: number, y: number) => LANE + (x % 5) + 5 * (y % 5);
  const moved = (x: number, y: number) => MOVED + (x % 5) + 5 * (y % 5);
  const parity = (x: number) => COLUMN + (x % 5);
  const mix = (x: number) => COLUMN + 5 + (x % 5);

  for (let x = 0; x < 5; x += 1) {
    code.push(...local.get(lane(x, 0)));
    for (let y = 1; y < 5; y += 1) code.push(...local.get(lane(x, y)), ...i64.xor);
    code.push(...local.set(parity(x)));
  }
  for (let x = 0; x < 5; x += 1) {
    code.push(...local.get(parity(x + 4)), ...local.get(parity(x + 1)), ...i64.rotateLeft(1), ...i64.xor);
    code.push(...local.set(mix(x)));
  }

  const rotations = laneRotations();
  for (let x = 0; x < 5; x += 1) {
    for (let y = 0; y < 5; y += 1) {
      code.push(...local.get(lane(x, y)), ...local.get(mix(x)), ...i64.xor);
      code.push(...i64.rotateLeft(rotations[x + 5 * y] ?? 0), ...local.set(moved(y, 2 * x + 3 * y)));
    }
  }

  for (let y = 0; y < 5; y += 1) {
    for (let x = 0; x < 5; x += 1) {
      code.push(...local.get(moved(x + 1, y)), ...i64.not, ...local.get(moved(x + 2, y)), ...i64.and);
      code.push(...local.get(moved(x, y)), ...i64.xor);
      if (x === 0 && y === 0) code.push(...local.get(ROUND), ...i64.load(0), ...i64.xor);
      code.push(...local.set(lane(x, y)));
    }
  }
  return code;
}

/** The offsets of step rho (FIPS 202, algorithm 2), by x + 5y. */
function laneRotations(): number[] {
  const rotations = new Array<number>(25).fill(0);
  for (let t = 0, x = 1, y = 0; t < 24; t += 1) {
    rotations[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return rotations;
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128. */
function unsigned(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...unsigned(n >>> 7)];
}

function signed(n: number): number[] {
  return n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)];
}
