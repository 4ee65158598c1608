import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_TABLES } from "../../src/store/chain-tables.js";
import { columnsAfter, columnsOf, digestVersion } from "../../src/store/digest-version.js";

// Frozen: what the digests of stored blocks cover. A version that was released is added here and never changed.
const frozen: Record<number, Record<keyof typeof BLOCK_TABLES, string>> = {
  1: {
    blocks: `number hash parent_hash timestamp miner gas_limit gas_used base_fee_per_gas difficulty total_difficulty
      size extra_data logs_bloom state_root transactions_root receipts_root sha3_uncles uncles nonce mix_hash
      withdrawals_root blob_gas_used excess_blob_gas parent_beacon_block_root requests_hash transaction_count
      log_count extra verified`,
    transactions: `block_number transaction_index hash block_hash type from_address to_address nonce value gas
      gas_price max_fee_per_gas max_priority_fee_per_gas input access_list chain_id max_fee_per_blob_gas
      blob_versioned_hashes authorization_list r s v y_parity status root gas_used cumulative_gas_used
      effective_gas_price contract_address blob_gas_used blob_gas_price log_count extra`,
    logs: `block_number log_index block_hash transaction_hash transaction_index address topic0 topic1 topic2 topic3
      data`,
    withdrawals: "block_number index validator_index address amount",
    tokenTransfers: `block_number log_index batch_index transaction_hash token_address standard operator
      from_address to_address value token_id`,
  },
};

test("the columns that each released version of the digest covers are the frozen ones, in their order", () => {
  for (const [version, tables] of Object.entries(frozen)) {
    for (const [key, columns] of Object.entries(tables)) {
      const { covered } = BLOCK_TABLES[key as keyof typeof BLOCK_TABLES];
      assert.deepEqual(
        columnsOf(covered, Number(version)),
        columns.split(/\s+/),
        `${key}, version ${version}`,
      );
    }
  }
});

test("the newest version covers every column, as the writer writes them", () => {
  for (const { covered, columns, name } of Object.values(BLOCK_TABLES)) {
    const own = name === "blocks" ? ["digest_version", "digest"] : [];
    assert.deepEqual([...columnsOf(covered, digestVersion), ...own], columns);
    assert.deepEqual(columnsAfter(covered, digestVersion), []);
  }
});

test("a column is covered from its version on, and later than every version before", () => {
  const covered = [
    { name: "a", since: 1 },
    { name: "b", since: 3 },
    { name: "c", since: 2 },
  ];
  assert.deepEqual(
    [1, 2, 3].map((version) => columnsOf(covered, version)),
    [["a"], ["a", "c"], ["a", "b", "c"]],
  );
  assert.deepEqual(columnsAfter(covered, 1), ["b", "c"]);
});
