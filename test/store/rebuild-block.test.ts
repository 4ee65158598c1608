// A block out of rows, one change at a time. That whole blocks read back as they were parsed is in test/stored.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../../src/block.js";
import { type RowsOfBlock, rebuildBlock } from "../../src/store/rebuild-block.js";
import type { Contradiction } from "../../src/store/stored-row.js";

const hash = `0x${"ab".repeat(32)}`;
const address = `0x${"ab".repeat(20)}`;

const header = {
  number: 7,
  hash,
  parent_hash: hash,
  timestamp: "1700000000",
  miner: address,
  gas_limit: "5",
  gas_used: "5",
  base_fee_per_gas: null,
  difficulty: "1",
  total_difficulty: null,
  size: null,
  extra_data: "0x",
  logs_bloom: `0x${"00".repeat(256)}`,
  state_root: hash,
  transactions_root: hash,
  receipts_root: hash,
  sha3_uncles: hash,
  uncles: [],
  nonce: null,
  mix_hash: null,
  withdrawals_root: null,
  blob_gas_used: null,
  excess_blob_gas: null,
  parent_beacon_block_root: null,
  requests_hash: null,
  extra: null,
};

const transaction = (index: number) => ({
  transaction_index: index,
  hash,
  type: 0,
  from_address: address,
  to_address: address,
  nonce: "0",
  value: "0",
  gas: "5",
  gas_price: "1",
  max_fee_per_gas: null,
  max_priority_fee_per_gas: null,
  input: "0x",
  access_list: null,
  chain_id: null,
  max_fee_per_blob_gas: null,
  blob_versioned_hashes: null,
  authorization_list: null,
  r: hash,
  s: hash,
  v: "27",
  y_parity: null,
  status: 1,
  root: null,
  gas_used: "5",
  cumulative_gas_used: "5",
  effective_gas_price: "1",
  contract_address: null,
  blob_gas_used: null,
  blob_gas_price: null,
  extra: null as unknown,
});

const log = (transactionIndex: number, logIndex: number, topics: (string | null)[] = []) => ({
  transaction_index: transactionIndex,
  log_index: logIndex,
  transaction_hash: hash,
  address,
  topic0: topics[0] ?? null,
  topic1: topics[1] ?? null,
  topic2: topics[2] ?? null,
  topic3: topics[3] ?? null,
  data: "0x",
});

function rebuild(rows: Partial<RowsOfBlock>) {
  const wrong: Contradiction[] = [];
  const asked: (readonly Log[])[] = [];
  const all = { header, transactions: [], logs: [], withdrawals: [], tokenTransfers: [], ...rows };
  const rebuilt = rebuildBlock(all, {
    wrong,
    bloomOf(logs) {
      asked.push(logs);
      return "0xb1";
    },
  });
  return { ...rebuilt, asked, wrong: wrong.map(({ field }) => field) };
}

test("each log goes to its own transaction's receipt, and the bloom is made of these", () => {
  const { block, asked, wrong } = rebuild({
    transactions: [transaction(0), transaction(1)],
    logs: [log(1, 0), log(1, 1)],
  });
  assert.deepEqual(wrong, []);
  const receipts = block.transactions.map(({ receipt }) => receipt);
  assert.deepEqual(
    receipts.map(({ logs, logsBloom }) => [logs.map(({ logIndex }) => logIndex), logsBloom]),
    [
      [[], "0xb1"],
      [[0, 1], "0xb1"],
    ],
  );
  assert.deepEqual(
    asked.map(({ length }) => length),
    [0, 2],
  );
});

test("of logs that are wrong no bloom is made", () => {
  const { asked, wrong } = rebuild({
    transactions: [transaction(0)],
    logs: [{ ...log(0, 0), address: "0x" }],
  });
  assert.deepEqual(wrong, ["logs[0].address"]);
  assert.deepEqual(asked, []);
});

test("topics end at the last that is there; a hole before it is told", () => {
  const topicsOf = (topics: (string | null)[]) => {
    const { block, wrong } = rebuild({ transactions: [transaction(0)], logs: [log(0, 3, topics)] });
    return { topics: block.transactions[0]?.receipt.logs[0]?.topics, wrong };
  };
  assert.deepEqual(topicsOf([]), { topics: [], wrong: [] });
  assert.deepEqual(topicsOf([hash, hash]), { topics: [hash, hash], wrong: [] });
  assert.deepEqual(topicsOf([hash, null, hash]).wrong, ["logs[3].topic1"]);
});

test("withdrawals are null before Shanghai, and a list as soon as there is a root or a row", () => {
  const withdrawal = { index: "1", validator_index: "2", address, amount: "3" };
  assert.equal(rebuild({}).block.withdrawals, null);
  assert.deepEqual(rebuild({ header: { ...header, withdrawals_root: hash } }).block.withdrawals, []);
  assert.equal(rebuild({ withdrawals: [withdrawal] }).block.withdrawals?.length, 1);
});

test("a receipt's extra is taken out of its transaction's, which is null where nothing else is in it", () => {
  const extraOf = (extra: unknown) => {
    const [rebuilt] = rebuild({ transactions: [{ ...transaction(0), extra }] }).block.transactions;
    return [rebuilt?.extra, rebuilt?.receipt.extra];
  };
  assert.deepEqual(extraOf(null), [null, null]);
  assert.deepEqual(extraOf({ a: 1 }), [{ a: 1 }, null]);
  assert.deepEqual(extraOf({ receipt: { b: 2 } }), [null, { b: 2 }]);
  assert.deepEqual(extraOf({ a: 1, receipt: { b: 2 } }), [{ a: 1 }, { b: 2 }]);
});

test("what is wrong is told with the row's place", () => {
  const { wrong } = rebuild({
    header: { ...header, hash: null },
    transactions: [{ ...transaction(4), hash: "0x" }],
    withdrawals: [{ index: "9", validator_index: "2", address: null, amount: "3" }],
    tokenTransfers: [
      {
        log_index: 5,
        batch_index: 1,
        transaction_hash: hash,
        token_address: address,
        standard: "erc1",
        operator: null,
        from_address: address,
        to_address: address,
        value: "1",
        token_id: null,
      },
    ],
  });
  assert.deepEqual(wrong.sort(), [
    "hash",
    "token_transfers[5, 1].standard",
    "transactions[4].hash",
    "withdrawals[index 9].address",
  ]);
});
