// Whatever is changed in a block is noticed. The block is anvil's, with every type of transaction, and
// withdrawals put in; the mutations are enumerated from the block itself, so a field that is added to
// the block's type is mutated too.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Block } from "../../src/block.js";
import { rulesFor } from "../../src/chain/verify/chain-rules.js";
import { signatureParity } from "../../src/chain/verify/transaction-rlp.js";
import { VerificationError } from "../../src/chain/verify/verification-error.js";
import { createVerifier, type VerifyOptions } from "../../src/chain/verify/verify-block.js";
import { entriesOf, type Fields } from "../../src/fields/field.js";
import { headerFields } from "../../src/fields/header.js";
import { receiptFields } from "../../src/fields/receipt.js";
import { transactionFields } from "../../src/fields/transaction.js";
import { mineBusyBlock, startChain } from "./anvil-chain.js";
import { resealed } from "./reseal.js";

type Place = Record<string | number, unknown>;

interface Mutation {
  /** Such as `transactions[].receipt.logs[].data changed`. */
  name: string;
  apply(): void;
  undo(): void;
}

type How = Pick<Partial<VerifyOptions>, "level" | "recoverSenders" | "onDerived">;

const verifier = createVerifier();
let block: Block;

before(async () => {
  const chain = await startChain({ args: ["--hardfork", "prague"] });
  try {
    const mined = await mineBusyBlock(chain, { newestType: 4, calls: 22 });
    const withdrawals = ["0x3b9aca00", "0x1", "0xffff"].map((amount, index) => ({
      index: `0x${(1_000 + index).toString(16)}` as const,
      validatorIndex: `0x${index.toString(16)}` as const,
      address: `0x${"0a".repeat(20)}` as const,
      amount: amount as `0x${string}`,
    }));
    block = await resealed({ ...mined, withdrawals });
  } finally {
    await chain.stop();
  }
  assert.equal(noticed(), undefined);
});

test("each field of header, transactions, receipts, logs and withdrawals is noticed when it changes", () => {
  assert.deepEqual(unnoticed(changesOf(block, "")), [
    // What other chains and newer forks send, and what nobody hashes.
    "header.extra changed",
    "header.size changed",
    "header.totalDifficulty changed",
    "transactions[].extra changed",
    "transactions[].receipt.blobGasPrice changed",
    "transactions[].receipt.extra changed",
  ]);
});

test("what is changed or missing is noticed, or put right, but for what is unproven", () => {
  const mutations = [...changesOf(block, ""), ...removalsOf(block, "")];
  const unproven = [
    ...namesOfUnproven(headerFields, "header."),
    ...namesOfUnproven(transactionFields, "transactions[]."),
    ...namesOfUnproven(receiptFields, "transactions[].receipt."),
    ...["header.extra", "transactions[].extra", "transactions[].receipt.extra"],
  ];
  const found = unsettled(mutations).map((name) => name.replace(/ .*/, ""));
  assert.deepEqual(
    [...new Set(found)].filter((name) => !unproven.includes(name)),
    [],
  );
  // What is unproven beside these needs two lies that agree, or an uncle.
  const twofold = ["header.uncles", "header.size", "transactions[].from"];
  assert.deepEqual(
    unproven.filter((name) => !found.includes(name) && !twofold.includes(name)),
    [],
  );
});

test("a changed sender is noticed when senders are recovered", () => {
  const changes = changesOf(block, "").filter(({ name }) => name === "transactions[].from changed");
  assert.ok(changes.length >= block.transactions.length);
  assert.deepEqual(unnoticed(changes, { recoverSenders: true }), []);
});

test("each field that is there is noticed when it is missing, unless another one says the same", () => {
  assert.deepEqual(unnoticed(removalsOf(block, "")), [
    "header.size missing",
    "header.totalDifficulty missing",
    // Of types that do not hash it, or say it elsewhere too.
    "transactions[].chainId missing",
    "transactions[].gasPrice missing",
    "transactions[].receipt.blobGasPrice missing",
    "transactions[].receipt.contractAddress missing",
    "transactions[].receipt.effectiveGasPrice missing",
    // Said again of the transaction, for comparison only.
    "transactions[].receipt.from missing",
    "transactions[].receipt.to missing",
    "transactions[].receipt.type missing",
    "transactions[].v missing",
    "transactions[].yParity missing",
  ]);
});

test("each item of each list is noticed when it is removed, repeated or moved", () => {
  assert.deepEqual(unnoticed(listMutationsOf(block, "")), []);
});

test("the cheap checks alone notice what changes in gas, blooms, places, and who logged what", () => {
  const mutations = [...changesOf(block, ""), ...listMutationsOf(block, "")];
  const missed = unnoticed(mutations, { level: "bloom" });
  for (const name of [
    "header.gasUsed changed",
    "header.logsBloom changed",
    "transactions[].transactionIndex changed",
    "transactions[].receipt.gasUsed changed",
    "transactions[].receipt.cumulativeGasUsed changed",
    "transactions[].receipt.logsBloom changed",
    "transactions[].receipt.logs[].address changed",
    "transactions[].receipt.logs[].topics[] changed",
    "transactions[].receipt.logs[].logIndex changed",
    "transactions[].receipt.logs[].transactionIndex changed",
    "transactions[].receipt.logs[].transactionHash changed",
    "transactions[] removed",
    "transactions[].receipt.logs repeated",
    "transactions[].receipt.logs moved",
  ]) {
    assert.ok(!missed.includes(name), name);
  }
  assert.ok(missed.includes("transactions[].receipt.logs[].data changed"), "only the root covers data");
});

test("a removed log is noticed when the others are renumbered and the blooms made to fit", () => {
  const found: string[] = [];
  for (const { receipt } of block.transactions) {
    for (const log of receipt.logs) {
      const forged = structuredClone(block);
      const filter = Buffer.alloc(256);
      let next = 0;
      for (const { receipt } of forged.transactions) {
        receipt.logs = receipt.logs.filter(({ logIndex }) => logIndex !== log.logIndex);
        for (const kept of receipt.logs) {
          kept.logIndex = next;
          next += 1;
        }
        receipt.logsBloom = verifier.bloomOf(receipt.logs);
        for (const [i, byte] of Buffer.from(receipt.logsBloom.slice(2), "hex").entries()) {
          filter[i] = (filter[i] ?? 0) | byte;
        }
      }
      forged.header.logsBloom = `0x${filter.toString("hex")}`;
      found.push(noticed({}, forged) ?? "nothing");
    }
  }
  assert.ok(found.length > 60);
  assert.deepEqual([...new Set(found)].sort(), ["hash", "receiptsRoot"]);
});

test("the error names endpoint, block, field, expected and actual", () => {
  const forged = structuredClone(block);
  const log = forged.transactions.at(-1)?.receipt.logs[0];
  assert.ok(log);
  log.logIndex += 1;
  const place = `receipts[${log.transactionIndex}].logs[0].logIndex`;
  assert.throws(
    () => verifier.verifyBlock(forged, { level: "bloom", rules: rulesFor(31_337), endpoint: "anvil" }),
    (error) => {
      assert.ok(error instanceof VerificationError);
      assert.equal(error.disposition, "retry");
      assert.deepEqual(error.facts, {
        endpoint: "anvil",
        block: 2,
        field: place,
        expected: String(log.logIndex - 1),
        actual: String(log.logIndex),
      });
      assert.equal(
        error.message,
        `block 2 of anvil is not proven: ${place}: expected ${log.logIndex - 1}, got ${log.logIndex}`,
      );
      return true;
    },
  );
});

/** The field that verification names, or undefined. */
function noticed(how: How = {}, of = block): string | undefined {
  try {
    verifier.verifyBlock(of, { level: "roots", rules: rulesFor(31_337), endpoint: "anvil", ...how });
    return undefined;
  } catch (error) {
    assert.ok(error instanceof VerificationError, String(error));
    return String(error.facts.field);
  }
}

/** The names of mutations that got through at least once. */
function unnoticed(mutations: readonly Mutation[], how: How = {}): string[] {
  assert.ok(mutations.length > 0);
  const names = new Set<string>();
  for (const { name, apply, undo } of mutations) {
    apply();
    try {
      if (noticed(how) === undefined) names.add(name);
    } finally {
      undo();
    }
  }
  assert.equal(noticed(how), undefined, "the block is whole again");
  return [...names].sort();
}

/** The names of mutations that were proven at least once, and left a block behind that is not the right one. */
function unsettled(mutations: readonly Mutation[]): string[] {
  const whole = structuredClone(block);
  assert.equal(noticed({ onDerived: () => {} }, whole), undefined);
  const right = comparable(whole);
  const names = new Set<string>();
  for (const { name, apply, undo } of mutations) {
    apply();
    const mutated = structuredClone(block);
    undo();
    if (noticed({ onDerived: () => {} }, mutated) !== undefined) continue;
    if (!isDeepStrictEqual(comparable(mutated), right)) names.add(name);
  }
  return [...names];
}

/** What is stored of a block: a receipt's bloom and what it says again of its transaction are not. */
function comparable({ header, transactions, withdrawals }: Block): unknown {
  const stored = transactions.map(({ receipt, ...own }) => {
    const { from: _f, to: _t, type: _y, logsBloom: _b, ...kept } = receipt;
    // Some nodes say the parity of a legacy signature as well: null and the right one are both right.
    const isSaidByV =
      own.type === 0 && own.v !== null && own.yParity === signatureParity({ ...own, receipt });
    return { ...own, yParity: isSaidByV ? null : own.yParity, receipt: kept };
  });
  return { header, transactions: stored, withdrawals };
}

function namesOfUnproven(fields: Fields, path: string): string[] {
  return entriesOf(fields).flatMap(([name, { unproven }]) => (unproven === undefined ? [] : [path + name]));
}

/** Every leaf, changed a little; what is null becomes something. */
function changesOf(value: unknown, path: string): Mutation[] {
  return leavesOf(value, path).flatMap(({ place, key, name }) => {
    const old = place[key];
    return variantsOf(String(key), old).map((changed) => replacement(place, key, changed, `${name} changed`));
  });
}

/** Every leaf and list that is not null, made null. */
function removalsOf(value: unknown, path: string): Mutation[] {
  const optional = new Set(
    "from type baseFeePerGas difficulty totalDifficulty size nonce mixHash withdrawalsRoot blobGasUsed excessBlobGas parentBeaconBlockRoot requestsHash status effectiveGasPrice contractAddress blobGasPrice to gasPrice maxFeePerGas maxPriorityFeePerGas accessList chainId maxFeePerBlobGas blobVersionedHashes authorizationList r s v yParity withdrawals".split(
      " ",
    ),
  );
  const found: Mutation[] = [];
  walk(value, path, (place, key, name) => {
    // A header's nonce may be missing, but no transaction's, and nothing of an authorization.
    const always =
      ["transactions[].nonce", "transactions[].from", "transactions[].type"].includes(name) ||
      name.startsWith("transactions[].authorizationList[].");
    if (always || !optional.has(String(key)) || place[key] === null) return;
    found.push(replacement(place, key, null, `${name} missing`));
  });
  return found;
}

function listMutationsOf(value: unknown, path: string): Mutation[] {
  const found: Mutation[] = [];
  walk(value, path, (place, key, name) => {
    const list = place[key];
    if (!Array.isArray(list)) return;
    for (let i = 0; i < list.length; i += 1) {
      const [before, item, after] = [list.slice(0, i), list[i], list.slice(i + 1)];
      found.push(replacement(place, key, [...before, ...after], `${name} removed`));
      found.push(replacement(place, key, [...before, item, item, ...after], `${name} repeated`));
      const [next, ...rest] = after;
      if (after.length === 0 || JSON.stringify(next) === JSON.stringify(item)) continue;
      found.push(replacement(place, key, [...before, next, item, ...rest], `${name} moved`));
    }
  });
  return found;
}

function replacement(place: Place, key: string | number, changed: unknown, name: string): Mutation {
  const old = place[key];
  return {
    name,
    apply: () => {
      place[key] = changed;
    },
    undo: () => {
      place[key] = old;
    },
  };
}

function variantsOf(field: string, value: unknown): unknown[] {
  if (typeof value === "number") return [value + 1];
  if (typeof value === "string") {
    if (value === "0x") return ["0x01"];
    // The first digit after the prefix and the last: none becomes a leading zero.
    const last = `${value.slice(0, -1)}${value.endsWith("0") ? "1" : "0"}`;
    const first = `0x${value[2] === "1" ? "2" : "1"}${value.slice(3)}`;
    return value.length > 3 ? [last, first] : [value === "0x1" ? "0x2" : "0x1"];
  }
  assert.equal(value, null, `${field} is ${typeof value}`);
  return [SOMETHING[field] ?? "0x1"];
}

/** For fields that are null in this block, and are no quantity. */
const SOMETHING: Record<string, unknown> = {
  extra: { l1Fee: "0x1" },
  accessList: [{ address: `0x${"01".repeat(20)}`, storageKeys: [] }],
  blobVersionedHashes: [`0x${"01".repeat(32)}`],
  authorizationList: [
    { chainId: "0x1", address: `0x${"01".repeat(20)}`, nonce: "0x0", yParity: "0x0", r: "0x1", s: "0x1" },
  ],
  to: `0x${"01".repeat(20)}`,
  contractAddress: `0x${"01".repeat(20)}`,
  root: `0x${"01".repeat(32)}`,
  yParity: 2,
  size: 1,
};

function leavesOf(value: unknown, path: string): { place: Place; key: string | number; name: string }[] {
  const leaves: { place: Place; key: string | number; name: string }[] = [];
  walk(value, path, (place, key, name) => {
    const leaf = place[key];
    if (typeof leaf !== "object" || leaf === null) leaves.push({ place, key, name });
  });
  return leaves;
}

function walk(
  value: unknown,
  path: string,
  visit: (place: Place, key: string | number, name: string) => void,
): void {
  if (typeof value !== "object" || value === null) return;
  const place = value as Place;
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  for (const key of keys) {
    const name = Array.isArray(value) ? `${path}[]` : path === "" ? String(key) : `${path}.${key}`;
    visit(place, key, name);
    walk(place[key], name, visit);
  }
}
