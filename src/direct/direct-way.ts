// The direct way of a block: what is usual goes from the bytes of a node's answers straight to the bytes of a COPY,
// proven, in one WebAssembly module (src/direct/wasm). No object is made for it, and nothing is left to collect.
//
// It only ever says yes: a block that it does not take goes the long way (parse, verify, decode, transform, encode), which
// knows every chain's peculiarities and says what is wrong. What it does take has the very rows of the long way.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { BlockAnswers, WantedBlock } from "../chain/endpoint/fetch-block.js";
import type { AnswerBytes } from "../chain/endpoint/wire.js";
import { knownBlobPrice } from "../chain/verify/blob-price.js";
import { type ChainRules, rulesFor } from "../chain/verify/chain-rules.js";
import { checksAt, type VerifyLevel } from "../chain/verify/verify-block.js";
import {
  CHECKS,
  type Check,
  checkBit,
  RESULT_OFFSETS,
  type ResultName,
  WRITTEN_TABLES,
  type WrittenTable,
} from "../fields/direct-layout.js";
import { CopyWriter } from "../store/copy-writer.js";
import type { EncodedBlock, Encoder } from "../store/encode-block.js";
import { compile, isCompileError, isTrap } from "../web-assembly.js";

/** Answers that are together larger than this go the long way. */
const mostBytes = 24 * 1024 * 1024;
/** The memory of an instance never shrinks: one that has grown beyond this is replaced. */
const mostKept = 32 * 1024 * 1024;

interface DirectExports {
  memory: { readonly buffer: ArrayBuffer };
  /** Where the answers are to be written. The calls below must follow one another in this order. */
  place(blockBytes: number, receiptsBytes: number): number;
  placeOfReceipts(): number;
  read(blockId: number, receiptsId: number): void;
  check(checks: number, asItIs: boolean, chainId: number, blobPrice: number): number;
  encode(verifiedBytes: number): void;
  resultAt(): number;
  verifiedAt(): number;
  whyNot(): number;
}

/** A block that went the direct way. */
export interface DirectBlock {
  rows: EncodedBlock;
  verified: readonly Check[];
  /** How long it took to prove it, and to write its rows. */
  verifyMs: number;
  encodeMs: number;
}

/** Who served the answers, of which chain. */
export interface Served {
  wanted: WantedBlock;
  chainId: number;
}

/** Takes what two answers hold, or returns null: then the block goes the long way. */
export type TakeDirectly = (answers: BlockAnswers, served: Served) => DirectBlock | null;

export interface DirectOptions {
  level: VerifyLevel;
  recoverSenders: boolean;
  /** Lends the memory for the rows. */
  encoder: Encoder;
  /** Told of the rules of each block's chain. */
  onRules?: (rules: ChainRules) => void;
  /** Told why a block was not taken: its place in REASONS (src/fields/direct-layout.ts), from 1. */
  onLeft?: (reason: number) => void;
  /** Told, at once, why none will be: the processor lacks SIMD, as some virtual ones do. */
  onUnavailable?: (error: unknown) => void;
}

/** Makes the direct way: one per process. */
export function createDirectWay(options: DirectOptions): TakeDirectly {
  const { level, recoverSenders, encoder, onRules, onLeft } = options;
  const instantiate = compileHere(options);
  if (instantiate === null) return () => null;
  let module = instantiate();
  const resultAt = module.resultAt();
  const verifiedFields = new Map<number, { checks: readonly Check[]; field: Buffer }>();

  const told = (memory: Buffer, name: ResultName): number =>
    memory.readUInt32LE(resultAt + RESULT_OFFSETS[name]);

  /** What the block's blob gas costs; 0: it is not known. */
  const blobPriceOf = (memory: Buffer, { chainId }: ChainRules): number => {
    const timestamp = memory.readDoubleLE(resultAt + RESULT_OFFSETS.timestamp);
    const excess = memory.readDoubleLE(resultAt + RESULT_OFFSETS.excessBlobGas);
    if (excess < 0) return 0;
    return Number(knownBlobPrice(chainId, { timestamp, excessBlobGas: BigInt(excess) }) ?? 0n);
  };

  /** The checks of these bits, and the column `verified` with their names. */
  const verifiedOf = (bits: number) => {
    const known = verifiedFields.get(bits);
    if (known !== undefined) return known;
    const checks = CHECKS.filter((check) => (bits & checkBit(check)) !== 0);
    const out = new CopyWriter();
    out.begin(Buffer.alloc(0));
    out.textArray(checks);
    const made = { checks, field: Buffer.from(out.bytesOf({ from: 0, to: out.size })) };
    verifiedFields.set(bits, made);
    return made;
  };

  const put = ({ chunks }: AnswerBytes, at: number): void => {
    const memory = new Uint8Array(module.memory.buffer);
    let to = at;
    for (const chunk of chunks) {
      memory.set(chunk, to);
      to += chunk.length;
    }
  };

  const take = (
    { block, receipts }: { block: AnswerBytes; receipts: AnswerBytes },
    { wanted, rules }: { wanted: WantedBlock; rules: ChainRules },
  ): DirectBlock | null => {
    const blockAt = module.place(block.size, receipts.size);
    put(block, blockAt);
    put(receipts, module.placeOfReceipts());
    module.read(block.id, receipts.id);
    // Each call may make the memory grow, and then what was taken of it before is detached.
    let memory = Buffer.from(module.memory.buffer);
    const number = memory.readDoubleLE(resultAt + RESULT_OFFSETS.number);
    const hash = hashAt(memory, told(memory, "hash"));
    if (number !== wanted.number || (wanted.hash !== null && hash !== wanted.hash)) return null;

    const started = performance.now();
    const { demanded, tried } = checksAt(number, { level, rules });
    const held = module.check(bitsOf(demanded), false, rules.chainId, blobPriceOf(memory, rules));
    const { checks, field } = verifiedOf(tried.length === 0 ? held : withTried(tried, held, rules.chainId));
    const verified = performance.now();
    memory = Buffer.from(module.memory.buffer);
    field.copy(memory, module.verifiedAt());
    module.encode(field.length);
    memory = Buffer.from(module.memory.buffer);
    const rows = encoder.keep(memory, {
      number,
      hash,
      parentHash: hashAt(memory, told(memory, "parentHash")),
      places: placesOf((name) => told(memory, name)),
    });
    return {
      rows,
      verified: checks,
      verifyMs: verified - started,
      encodeMs: performance.now() - verified,
    };
  };

  /** The bits of what is proven, and of what holds of the tried, as verify-block.ts tries them. */
  const withTried = (tried: readonly Check[], proven: number, chainId: number): number => {
    const hash = checkBit("hash");
    const hashed = tried.includes("hash") ? proven | bitsThatHold(hash, chainId) : proven;
    if ((hashed & hash) === 0) return proven;
    return tried.reduce((bits, check) => bits | bitsThatHold(checkBit(check), chainId), hashed);
  };

  const bitsThatHold = (bit: number, chainId: number): number => {
    try {
      return module.check(bit, true, chainId, 0);
    } catch (error) {
      if (!isTrap(error)) throw error;
      return 0;
    }
  };

  return ({ block, receipts }, { wanted, chainId }) => {
    if (block.bytes === null || receipts.bytes === null) return null;
    const rules = rulesFor(chainId);
    if (recoverSenders || rules.stateSync) return null;
    if (block.bytes.size + receipts.bytes.size > mostBytes) return null;
    onRules?.(rules);
    try {
      return take({ block: block.bytes, receipts: receipts.bytes }, { wanted, rules });
    } catch (error) {
      if (!isTrap(error)) throw error;
      onLeft?.(module.whyNot());
      return null;
    } finally {
      if (module.memory.buffer.byteLength > mostKept) module = instantiate();
    }
  };
}

/** Null: this processor cannot run it. */
function compileHere({ onUnavailable }: DirectOptions): (() => DirectExports) | null {
  try {
    return compile<DirectExports>(readFileSync(new URL("./block.wasm", import.meta.url)));
  } catch (error) {
    if (!isCompileError(error)) throw error;
    onUnavailable?.(error);
    return null;
  }
}

function bitsOf(checks: readonly Check[]): number {
  return checks.reduce((bits, check) => bits | checkBit(check), 0);
}

/** The 32 bytes whose text lies here. */
function hashAt(memory: Buffer, at: number): `0x${string}` {
  return memory.toString("latin1", at, at + 66) as `0x${string}`;
}

/** Where each table's rows begin and end, and how many they are. */
function placesOf(told: (name: ResultName) => number) {
  const places = WRITTEN_TABLES.map((table, index) => {
    const next = WRITTEN_TABLES[index + 1];
    const to = told(next === undefined ? "end" : `${next}From`);
    return [table, { from: told(`${table}From`), to, count: told(`${table}Count`) }];
  });
  return Object.fromEntries(places) as Record<WrittenTable, { from: number; to: number; count: number }>;
}
