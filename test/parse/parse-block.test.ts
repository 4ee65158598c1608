import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { BadResponseError } from "../../src/errors.js";
import { entriesOf, type Field, type Fields, isNullable } from "../../src/fields/field.js";
import { blockLists, headerFields } from "../../src/fields/header.js";
import { logFields } from "../../src/fields/log.js";
import { receiptFields } from "../../src/fields/receipt.js";
import {
  accessListEntryFields,
  authorizationFields,
  transactionFields,
} from "../../src/fields/transaction.js";
import { withdrawalFields } from "../../src/fields/withdrawal.js";
import { quantity, type RawBlockOptions, type RawObject, rawBlock } from "../support/raw-block.js";

const ALL_TYPES = [0, 1, 2, 3, 4, 0x7e, 0x64, 0x6a, 0x71, 0xff];

function parse(options: RawBlockOptions, change?: (block: RawObject, receipts: RawObject[]) => void) {
  const { block, receipts } = rawBlock(options);
  change?.(block, receipts);
  return parseBlock(block, receipts, { endpoint: "made up", number: options.number });
}

/** The object at the end of a path such as `transactions[3].accessList[0]`. */
function objectAt(root: unknown, path: string): RawObject {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
  return keys.reduce((at, key) => (at as Record<string, unknown>)[key], root) as RawObject;
}

test("all transaction types keep all of their fields", () => {
  const { transactions } = parse({ number: 22_000_000, transactions: ALL_TYPES, logsPerTransaction: 3 });
  const [legacy, , feeMarket, blob, delegating, deposit] = transactions;
  assert.deepEqual(
    transactions.map(({ type }) => type),
    ALL_TYPES,
  );
  assert.equal(legacy?.chainId, "0x1");
  assert.equal(legacy.accessList, null);
  assert.equal(feeMarket?.maxFeePerGas, "0x77359400");
  assert.deepEqual(feeMarket.accessList, []);
  assert.equal(blob?.blobVersionedHashes?.length, 2);
  assert.equal(blob.receipt.blobGasPrice, "0x2");
  assert.equal(delegating?.authorizationList?.[0]?.nonce, "0x7");
  assert.equal(delegating.accessList?.[0]?.storageKeys.length, 2);
  assert.equal(delegating.extra, null);
  assert.equal(deposit?.extra?.mint, "0xde0b6b3a7640000");
  assert.deepEqual(deposit.receipt.extra, { l1Fee: "0x1bc16d674ec80000", l1FeeScalar: "0.684" });
  assert.deepEqual(
    transactions.flatMap(({ receipt }) => receipt.logs.map(({ logIndex }) => logIndex)),
    Array.from({ length: 30 }, (_, index) => index),
  );
});

test("the header keeps what it has and what nobody knows", () => {
  const { header, withdrawals } = parse({ number: 5, withdrawals: 2 }, (block) => {
    block.l1BlockNumber = "0x10";
    block.sendCount = null;
  });
  assert.equal(header.number, 5);
  assert.equal(header.totalDifficulty, null);
  assert.equal(header.size, 0x220);
  assert.deepEqual(header.extra, { l1BlockNumber: "0x10" });
  assert.equal(withdrawals?.length, 2);
});

test("blocks from before Byzantium, and the first block, are blocks", () => {
  const [old] = parse({ number: 46_147, transactions: [0], fork: "frontier" }).transactions;
  assert.equal(old?.receipt.status, null);
  assert.equal(old.receipt.root?.length, 66);
  assert.equal(old.chainId, null);
  const genesis = parse({ number: 0, timestamp: 0, fork: "frontier" });
  assert.deepEqual(genesis.transactions, []);
  assert.equal(genesis.withdrawals, null);
  assert.equal(genesis.header.timestamp, 0);
});

test("fields that other chains leave out are null, and a transaction without a type is legacy", () => {
  const block = parse({ number: 5, transactions: [0] }, (raw) => {
    for (const field of ["mixHash", "nonce", "difficulty", "size", "withdrawals"]) delete raw[field];
    for (const field of ["r", "s", "v", "gasPrice", "chainId", "type"])
      delete objectAt(raw, "transactions[0]")[field];
  });
  const { mixHash, nonce, difficulty, size } = block.header;
  assert.deepEqual([mixHash, nonce, difficulty, size, block.withdrawals], [null, null, null, null, null]);
  const { r, s, v, gasPrice, chainId, type } = block.transactions[0] ?? {};
  assert.deepEqual([r, s, v, gasPrice, chainId, type], [null, null, null, null, null, 0]);
});

test("case and leading zeros are normalised, also where a field repeats another", () => {
  const { block, receipts } = rawBlock({ number: 171, transactions: [2], logsPerTransaction: 1 });
  const upper = (raw: RawObject, field: string) => {
    raw[field] = `0x${String(raw[field]).slice(2).toUpperCase()}`;
  };
  const transaction = objectAt(block, "transactions[0]");
  const log = objectAt(receipts, "0.logs[0]");
  const good = parseBlock(structuredClone(block), structuredClone(receipts), { endpoint: "made up" });
  for (const field of ["hash", "miner", "logsBloom"]) upper(block, field);
  for (const field of ["from", "to", "blockHash", "blockNumber", "input"]) upper(transaction, field);
  for (const field of ["address", "transactionHash", "data"]) upper(log, field);
  block.number = "0x00AB";
  transaction.r = `0x${String(transaction.r).slice(2).padStart(64, "0")}`;
  transaction.nonce = "0x00";
  log.transactionIndex = "0x000";
  log.logIndex = "0x00";
  assert.deepEqual(parseBlock(block, receipts, { endpoint: "made up" }), good);
});

test("__proto__ in an answer changes nothing", () => {
  const { block, receipts } = rawBlock({ number: 5, transactions: [2] });
  const text = JSON.stringify(block).replace("{", '{"__proto__":{"polluted":true,"baseFeePerGas":"0x99"},');
  const parsed = parseBlock(JSON.parse(text), receipts, { endpoint: "made up" });
  assert.deepEqual(parsed, parseBlock(block, receipts, { endpoint: "made up" }));
  assert.equal("polluted" in {}, false);
});

// What follows is hostile. Whatever an answer holds, it is a BadResponseError that says where.

function assertBad(run: () => unknown, field?: string | RegExp): BadResponseError {
  try {
    run();
  } catch (error) {
    assert(error instanceof BadResponseError, `${field}: ${String(error)}`);
    assert.equal(error.facts.endpoint, "made up");
    assert(String(error.facts.actual).length <= 80, String(error.facts.actual));
    if (typeof field === "string") assert.equal(error.facts.field, field);
    if (field instanceof RegExp) assert.match(String(error.facts.field), field);
    return error;
  }
  return assert.fail(`${field} was accepted`);
}

const OPTIONS = { number: 5, transactions: [4, 3, 0], logsPerTransaction: 2, withdrawals: 1 };

/** Objects of the answer, and their fields. */
const OBJECTS: Record<string, Fields> = {
  block: { ...headerFields, ...blockLists },
  "transactions[0]": transactionFields,
  "transactions[1]": transactionFields,
  "transactions[0].accessList[0]": accessListEntryFields,
  "transactions[0].authorizationList[0]": authorizationFields,
  "receipts[1]": receiptFields,
  "receipts[1].logs[1]": logFields,
  "withdrawals[0]": withdrawalFields,
};

const HOSTILE: [name: string, value: unknown][] = [
  ["null", null],
  ["nothing", undefined],
  ["a number", 7],
  ["a negative number", -1],
  ["a boolean", true],
  ["an object", { a: 1 }],
  ["a list", [["0x1"]]],
  ["no text", ""],
  ["0x", "0x"],
  ["no 0x", "12ab"],
  ["0X", "0X12"],
  ["negative hex", "-0x1"],
  ["not hex", "0xzz"],
  ["a line break", "0x12\n"],
  ["NUL", "0x\u00001"],
  ["a lone surrogate", "0x\ud8001"],
  ["letters whose low byte is a digit", `0x${"\u0161".repeat(64)}`],
  ["a last digit that is none", `0x${"1".repeat(62)}g`],
  ["a last digit that is none, of 64", `0x${"1".repeat(63)}g`],
  ["a last digit that is none, of many", `0x${"1".repeat(99_999)}g`],
  ["65 digits", `0x1${"0".repeat(64)}`],
  ["a million digits", `0x${"f".repeat(1_000_000)}`],
  ["a million zeros", `0x${"0".repeat(1_000_001)}`],
  ["very deep", JSON.parse("[".repeat(5_000) + "]".repeat(5_000))],
];

/** Whether a field may have one of these values. */
function isTaken(name: string, field: Field, [hostile, value]: (typeof HOSTILE)[number]): boolean {
  // Without it, it is nobody's receipt.
  if (field === receiptFields.transactionHash) return false;
  const { kind, repeats, missing, lax } = field;
  const mayLack = isNullable(field) || (repeats ?? missing ?? lax) !== undefined || name === "withdrawals";
  // The receipt says it again.
  if (field === transactionFields.from && (value === null || value === undefined || value === ""))
    return true;
  if (value === null || value === undefined || value === "") return mayLack;
  if (repeats !== undefined) return false;
  const isNumber = kind.is === "quantity" || kind.is === "word";
  const isInteger = kind.is === "integer" || kind.is === "time";
  if (value === "0x")
    return (
      isNumber || kind.is === "data" || (mayLack && lax !== "place" && (kind.is === "bytes" || isInteger))
    );
  if (value === 7) {
    if (kind.is === "bytes") return kind.bytes <= 8;
    return isNumber || (isInteger && !(kind.is === "integer" && kind.max < 7) && name !== "number");
  }
  if (value === true) return kind.is === "integer" && kind.max === 1;
  return kind.is === "data" && hostile === "a million digits";
}

for (const [path, fields] of Object.entries(OBJECTS)) {
  test(`every field of ${path} is checked`, () => {
    let checked = 0;
    for (const [name, field] of entriesOf(fields)) {
      if (field.unread !== undefined || field.kind.is === "false") continue;
      for (const hostile of HOSTILE) {
        const { block, receipts } = rawBlock(OPTIONS);
        objectAt({ block, receipts }, inAnswer(path))[name] = hostile[1];
        const run = () => parseBlock(block, receipts, { endpoint: "made up", number: 5 });
        if (isTaken(name, field, hostile)) {
          assert.doesNotThrow(run, `${path}.${name}: ${hostile[0]}`);
          continue;
        }
        const place = path === "block" ? name : `${path}.${name}`;
        // A list may be wrong by its first item, or by not being as long as the receipts'.
        const places = place === "transactions" ? "transactions|receipts" : escaped(place);
        assertBad(run, new RegExp(`^(${places})(\\[\\d+\\])?$`));
        checked += 1;
      }
    }
    assert(checked >= 30, `${checked} cases`);
  });
}

function inAnswer(path: string): string {
  return path.startsWith("receipts") || path === "block" ? path : `block.${path}`;
}

function escaped(text: string): string {
  return text.replace(/[[\].]/g, "\\$&");
}

test("whatever stands in for the block or the receipts is an error, never a crash", () => {
  for (const [, value] of HOSTILE) {
    const { block, receipts } = rawBlock(OPTIONS);
    assertBad(() => parseBlock(value, receipts, { endpoint: "made up" }));
    assertBad(() => parseBlock(block, value, { endpoint: "made up" }), "receipts");
    assertBad(
      () => parseBlock(block, [...receipts.slice(0, 2), value], { endpoint: "made up" }),
      /^receipts\[2\]/,
    );
    assertBad(() => parse(OPTIONS, (raw) => Object.assign(raw, { transactions: [value, value, value] })));
  }
});

test("another block than was asked for is an error", () => {
  const { block, receipts } = rawBlock(OPTIONS);
  const byNumber = assertBad(() => parseBlock(block, receipts, { endpoint: "made up", number: 6 }), "number");
  assert.equal(byNumber.message, "number: expected 6, got 5");
  assert.equal(byNumber.facts.block, 6);
  const asked = { endpoint: "made up", hash: `0x${"12".repeat(32)}` } as const;
  assertBad(() => parseBlock(block, receipts, asked), "hash");
});

test("receipts and logs that belong elsewhere are an error", () => {
  const elsewhere = `0x${"12".repeat(32)}`;
  assertBad(() => parse(OPTIONS, (_, receipts) => receipts.pop()), "receipts");
  assertBad(() => parse(OPTIONS, (_, receipts) => receipts.reverse()), "receipts[0].transactionHash");
  for (const path of ["block.transactions[1]", "receipts[1]", "receipts[1].logs[0]"]) {
    const wrong: RawObject = { blockHash: elsewhere, blockNumber: "0x6", transactionIndex: "0x2" };
    if (path !== "block.transactions[1]") wrong.transactionHash = elsewhere;
    for (const [field, value] of Object.entries(wrong)) {
      const change = (block: RawObject, receipts: RawObject[]) => {
        objectAt({ block, receipts }, path)[field] = value;
      };
      assertBad(() => parse(OPTIONS, change), `${path.replace("block.", "")}.${field}`);
    }
  }
});

test("transactions in another order are an error", () => {
  const swap = (block: RawObject, receipts: RawObject[]) => {
    (block.transactions as unknown[]).reverse();
    receipts.reverse();
  };
  assertBad(() => parse(OPTIONS, swap), "transactions[0].transactionIndex");
});

test("log indexes that are none, and logs that were removed, are an error", () => {
  const change = (field: string, value: unknown) => (_: RawObject, receipts: RawObject[]) => {
    objectAt(receipts, "1.logs[0]")[field] = value;
  };
  assertBad(() => parse(OPTIONS, change("logIndex", "0x80000000")), "receipts[1].logs[0].logIndex");
  assertBad(() => parse(OPTIONS, change("removed", true)), "receipts[1].logs[0].removed");
});

test("more topics than four, and values out of their range, are an error", () => {
  const set = (path: string, field: string, value: unknown) => () =>
    parse(OPTIONS, (block, receipts) => {
      objectAt({ block, receipts }, path)[field] = value;
    });
  const topic = `0x${"12".repeat(32)}`;
  assertBad(set("receipts[0].logs[0]", "topics", Array(5).fill(topic)), "receipts[0].logs[0].topics");
  assertBad(set("receipts[0].logs[0]", "topics", [topic, "0x12"]), "receipts[0].logs[0].topics[1]");
  assertBad(set("receipts[0]", "status", "0x2"), "receipts[0].status");
  assertBad(set("block.transactions[0]", "yParity", "0x1b"), "transactions[0].yParity");
  assertBad(set("block.transactions[0]", "type", "0x100"), "transactions[0].type");
  assertBad(set("block.transactions[0]", "gas", "0x10000000000000000"), "transactions[0].gas");
  assertBad(set("block", "timestamp", quantity(9_224_318_016_000)), "timestamp");
  assertBad(set("block", "number", "0x20000000000000"), "number");
  assertBad(set("block", "transactions", Array(100_001).fill(0)), "transactions");
  assertBad(set("block.transactions[0]", "input", "0x123"), "transactions[0].input");
});

test("unknown fields that jsonb cannot hold are an error", () => {
  const unstorable: unknown[] = [
    "NUL \u0000",
    "lone \ud800",
    "lone \udc00 too",
    { "key \u0000": 1 },
    [{ deep: ["\ud800"] }],
    JSON.parse("[".repeat(5_000) + "]".repeat(5_000)),
    Array(100_001).fill(0),
    "long".repeat(5_000_000),
    Number.POSITIVE_INFINITY,
  ];
  for (const value of unstorable) {
    for (const path of ["block", "block.transactions[1]", "receipts[1]"]) {
      const change = (block: RawObject, receipts: RawObject[]) => {
        objectAt({ block, receipts }, path).strange = value;
      };
      assertBad(() => parse(OPTIONS, change), /strange$/);
    }
  }
  assertBad(() => parse(OPTIONS, (block) => Object.assign(block, { "\u0000": 1 })), "\\u0000");
});

test("unknown fields that jsonb can hold are kept as they are", () => {
  const strange = { text: "ünï 🦀 \u0001", list: [1, 2.5, -0, null, { deep: [[[]]] }], yes: true };
  const { header } = parse(OPTIONS, (block) => Object.assign(block, { strange }));
  assert.deepEqual(header.extra, { strange });
});
