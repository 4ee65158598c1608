import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeAbiParameters } from "viem";
import type { Block, Hex } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { blankLog } from "../support/blank-fields.js";
import { rawBlock } from "../support/raw-block.js";

const TRANSFER: Hex = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TRANSFER_SINGLE: Hex = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const TRANSFER_BATCH: Hex = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb";

const address = (digit: string): Hex => `0x${digit.repeat(40)}`;
const topicOf = (account: Hex): Hex => `0x${"0".repeat(24)}${account.slice(2)}`;
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;
const words = (...values: bigint[]): Hex => `0x${values.map((value) => word(value).slice(2)).join("")}`;

const [token, operator, from, to] = [address("a"), address("b"), address("c"), address("d")];
const transactionHash: Hex = `0x${"11".repeat(32)}`;
const moved = { logIndex: 3, transactionHash, tokenAddress: token, fromAddress: from, toAddress: to };

/** What is decoded from a block with this one log. */
function decode(topics: Hex[], data: Hex) {
  const { block, receipts } = rawBlock({ number: 5, transactions: [2] });
  const parsed: Block = parseBlock(block, receipts, { endpoint: "made up" });
  const log = {
    ...blankLog,
    logIndex: 3,
    transactionIndex: 0,
    transactionHash,
    address: token,
    topics,
    data,
  };
  parsed.transactions[0]?.receipt.logs.push(log);
  return decodeTokenTransfers(parsed);
}

const parties = [topicOf(from), topicOf(to)] as const;
const parties1155 = [topicOf(operator), ...parties] as const;

test("an ERC-20 transfer has three topics and one word", () => {
  const transfer = { ...moved, batchIndex: 0, standard: "erc20", operator: null, tokenId: null };
  assert.deepEqual(decode([TRANSFER, ...parties], word(0n)), [{ ...transfer, value: "0x0" }]);
  const most = 2n ** 256n - 1n;
  assert.deepEqual(decode([TRANSFER, ...parties], word(most)), [
    { ...transfer, value: `0x${"f".repeat(64)}` },
  ]);
});

test("an ERC-721 transfer has four topics and no data", () => {
  assert.deepEqual(decode([TRANSFER, ...parties, word(0x0abcn)], "0x"), [
    { ...moved, batchIndex: 0, standard: "erc721", operator: null, value: "0x1", tokenId: "0xabc" },
  ]);
});

test("an ERC-1155 transfer has an operator, and its id before its value", () => {
  assert.deepEqual(decode([TRANSFER_SINGLE, ...parties1155], words(7n, 255n)), [
    { ...moved, batchIndex: 0, standard: "erc1155", operator, value: "0xff", tokenId: "0x7" },
  ]);
});

function batch(ids: readonly bigint[], values: readonly bigint[]): Hex {
  return encodeAbiParameters([{ type: "uint256[]" }, { type: "uint256[]" }], [ids, values]);
}

test("an ERC-1155 batch is one transfer for each id, as another ABI encoder writes it", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })),
        {
          maxLength: 20,
        },
      ),
      (pairs) => {
        const data = batch(
          pairs.map(([id]) => id),
          pairs.map(([, value]) => value),
        );
        const expected = pairs.map(([id, value], batchIndex) => ({
          ...moved,
          ...{ batchIndex, standard: "erc1155", operator },
          value: `0x${value.toString(16)}`,
          tokenId: `0x${id.toString(16)}`,
        }));
        assert.deepEqual(decode([TRANSFER_BATCH, ...parties1155], data), expected);
      },
    ),
    { numRuns: 100 },
  );
});

test("what has another shape is no transfer and no error", () => {
  const dirty: Hex = `0x${"0".repeat(23)}1${from.slice(2)}`;
  const huge = 2n ** 256n - 1n;
  const none: [topics: Hex[], data: Hex][] = [
    [[], word(1n)],
    [[TRANSFER], words(1n, 2n, 3n)],
    [[TRANSFER, topicOf(from)], words(1n, 2n)],
    [[TRANSFER, ...parties], "0x"],
    [[TRANSFER, ...parties], words(1n, 2n)],
    [[TRANSFER, ...parties], `${word(1n).slice(0, -2)}` as Hex],
    [[TRANSFER, ...parties], `${word(1n)}00`],
    [[TRANSFER, ...parties, word(1n)], word(1n)],
    [[TRANSFER, ...parties, word(1n)], "0x00"],
    [[TRANSFER, dirty, topicOf(to)], word(1n)],
    [[TRANSFER, topicOf(from), dirty, word(1n)], "0x"],
    [[TRANSFER_SINGLE, ...parties1155], word(1n)],
    [[TRANSFER_SINGLE, ...parties1155], words(1n, 2n, 3n)],
    [[TRANSFER_SINGLE, ...parties], words(1n, 2n)],
    [[TRANSFER_SINGLE, dirty, ...parties], words(1n, 2n)],
    [[TRANSFER_BATCH, ...parties], batch([1n], [2n])],
    [[TRANSFER_BATCH, ...parties1155], "0x"],
    [[TRANSFER_BATCH, ...parties1155], word(0n)],
    [[TRANSFER_BATCH, ...parties1155], `${batch([1n], [2n])}00`],
    [[TRANSFER_BATCH, ...parties1155], batch([1n, 2n], [3n])],
    // Offsets and lengths that point outside, between words, or would wrap around.
    [[TRANSFER_BATCH, ...parties1155], words(64n, 1_000_000n, 1n, 7n)],
    [[TRANSFER_BATCH, ...parties1155], words(64n, huge, 1n, 7n)],
    [[TRANSFER_BATCH, ...parties1155], words(64n, 65n, 1n, 7n)],
    [[TRANSFER_BATCH, ...parties1155], words(64n, 64n, 2n, 7n)],
    [[TRANSFER_BATCH, ...parties1155], words(64n, 64n, huge, 7n)],
    [[TRANSFER_BATCH, ...parties1155], words(64n, 128n, 1n, 7n)],
  ];
  for (const [topics, data] of none) assert.deepEqual(decode(topics, data), [], `${topics.length} ${data}`);
});

test("whatever a log holds, decoding never throws, and gives no more transfers than the log has words", () => {
  const wordOf = fc.oneof(
    fc.bigInt({ min: 0n, max: 12n }).map((index) => index * 32n),
    fc.bigInt({ min: 0n, max: 12n }),
    fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  );
  const topic = fc.constantFrom(TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH, topicOf(from), word(2n ** 255n));
  fc.assert(
    fc.property(fc.array(topic, { maxLength: 4 }), fc.array(wordOf, { maxLength: 12 }), (topics, values) => {
      assert(
        decode(topics, values.length === 0 ? "0x" : words(...values)).length <= Math.max(1, values.length),
      );
    }),
    { numRuns: 2_000 },
  );
});
