// CPU milliseconds to prove a block of 200 transactions and 400 logs, a level at a time, and the same
// with Keccak in JavaScript (noble).
//
//     node dist/bench/verify.js
//
// Every block is seen once by each verifier, parsed from JSON as if it had just been fetched: so no
// string is hashed yet, and the cache holds only what blocks have in common (contracts and events).
// CPU time is that of all threads: the compiler's and the garbage collector's too.

import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Block } from "../src/block.js";
import { rulesFor } from "../src/chain/verify/chain-rules.js";
import { createKeccak, type Keccak } from "../src/chain/verify/keccak.js";
import { createVerifier, type Verifier, type VerifyLevel } from "../src/chain/verify/verify-block.js";
import { madeBlock } from "../test/verify/made-block.js";

const ROUNDS = 7;
const BLOCKS_PER_ROUND = 10;
const SHAPE = { transactions: 200, logsPerTransaction: 2, withdrawals: 16 };

const rounds: string[][] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const blocks: string[] = [];
  for (let i = 0; i < BLOCKS_PER_ROUND; i += 1) {
    blocks.push(JSON.stringify(await madeBlock({ ...SHAPE, salt: round * BLOCKS_PER_ROUND + i })));
  }
  rounds.push(blocks);
}

const runs: { name: string; verifier: Verifier; level: VerifyLevel }[] = [
  { name: "off", verifier: createVerifier(), level: "off" },
  { name: "bloom", verifier: createVerifier(), level: "bloom" },
  { name: "roots", verifier: createVerifier(), level: "roots" },
  { name: "bloom, noble", verifier: createVerifier({ keccak: nobleKeccak() }), level: "bloom" },
  { name: "roots, noble", verifier: createVerifier({ keccak: nobleKeccak() }), level: "roots" },
];

process.stdout.write(
  `${SHAPE.transactions} transactions, ${SHAPE.transactions * SHAPE.logsPerTransaction} logs\n`,
);
process.stdout.write(
  `level           CPU ms per block: median of ${ROUNDS - 1} rounds (the first, warming up)\n`,
);
for (const { name, verifier, level } of runs) {
  const [first = 0, ...rest] = rounds.map((texts) => cpuMsPerBlock(verifier, level, texts));
  const median = rest.sort((a, b) => a - b)[rest.length >> 1] ?? 0;
  process.stdout.write(`${name.padEnd(14)} ${median.toFixed(2).padStart(6)}   (${first.toFixed(2)})\n`);
}

function cpuMsPerBlock(verifier: Verifier, level: VerifyLevel, texts: readonly string[]): number {
  const rules = rulesFor(1);
  const blocks = texts.map((text) => JSON.parse(text) as Block);
  const before = process.cpuUsage();
  for (const block of blocks) verifier.verifyBlock(block, { level, rules, endpoint: "bench" });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / blocks.length;
}

/** The same memory, hashed by noble. */
function nobleKeccak(): Keccak {
  const { memory, grow } = createKeccak();
  let bytes = memory();
  return {
    memory,
    grow(length) {
      grow(length);
      bytes = memory();
    },
    hash(from, length, to) {
      bytes.set(keccak_256(bytes.subarray(from, from + length)), to);
    },
  };
}
