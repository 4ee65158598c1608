// The floor's store: what anybody would write in an afternoon who wants the rows in and nothing else.
// The same tables and columns as blockmill's, by COPY in binary, from the node's JSON; nothing is
// checked, nothing is proven, no digest is kept, no job is completed.

import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { Raw, RawBlock } from "./bare-node.js";

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb";

const columns = {
  blocks:
    "number, hash, parent_hash, timestamp, miner, gas_limit, gas_used, base_fee_per_gas, difficulty, size, " +
    "extra_data, logs_bloom, state_root, transactions_root, receipts_root, sha3_uncles, uncles, nonce, mix_hash, " +
    "withdrawals_root, blob_gas_used, excess_blob_gas, parent_beacon_block_root, requests_hash, " +
    "transaction_count, log_count",
  transactions:
    "block_number, transaction_index, hash, block_hash, type, from_address, to_address, nonce, value, gas, " +
    "gas_price, max_fee_per_gas, max_priority_fee_per_gas, input, access_list, chain_id, max_fee_per_blob_gas, " +
    "blob_versioned_hashes, authorization_list, r, s, v, y_parity, status, gas_used, cumulative_gas_used, " +
    "effective_gas_price, contract_address, blob_gas_used, blob_gas_price, log_count",
  logs:
    "block_number, log_index, block_hash, transaction_hash, transaction_index, address, " +
    "topic0, topic1, topic2, topic3, data",
  withdrawals: "block_number, index, validator_index, address, amount",
  token_transfers:
    "block_number, log_index, batch_index, transaction_hash, token_address, standard, operator, " +
    "from_address, to_address, value, token_id",
};

type Table = keyof typeof columns;

/** Encodes blocks for one commit. */
export class BareBatch {
  readonly #tables: Record<Table, BareWriter> = {
    blocks: new BareWriter(),
    transactions: new BareWriter(),
    logs: new BareWriter(),
    withdrawals: new BareWriter(),
    token_transfers: new BareWriter(),
  };

  add({ block, receipts }: RawBlock): void {
    const number = Number(block.number);
    let logs = 0;
    for (const [i, transaction] of block.transactions.entries()) {
      const receipt = receipts[i];
      if (receipt === undefined) throw new Error(`block ${number} lacks receipt ${i}`);
      this.#addTransaction(number, block, transaction, receipt);
      for (const log of receipt.logs) this.#addLog(number, log);
      logs += receipt.logs.length;
    }
    for (const withdrawal of block.withdrawals ?? []) {
      const out = this.#tables.withdrawals;
      out.row(5);
      out.int8(number);
      out.numeric(withdrawal.index);
      out.numeric(withdrawal.validatorIndex);
      out.hex(withdrawal.address);
      out.numeric(withdrawal.amount);
    }
    this.#addBlock(number, block, logs);
  }

  /** In one transaction. */
  async commit(client: pg.Client): Promise<void> {
    await client.query("begin");
    for (const [table, writer] of Object.entries(this.#tables) as [Table, BareWriter][]) {
      const stream = client.query(copyFrom(`copy ${table} (${columns[table]}) from stdin (format binary)`));
      await new Promise<void>((resolve, reject) => {
        stream.on("error", reject);
        stream.on("finish", resolve);
        stream.end(writer.take());
      });
    }
    await client.query("commit");
  }

  #addBlock(number: number, block: RawBlock["block"], logs: number): void {
    const out = this.#tables.blocks;
    out.row(26);
    out.int8(number);
    out.hex(block.hash);
    out.hex(block.parentHash);
    out.seconds(Number(block.timestamp));
    out.hex(block.miner);
    out.numeric(block.gasLimit);
    out.numeric(block.gasUsed);
    out.numeric(block.baseFeePerGas);
    out.numeric(block.difficulty);
    out.int8(Number(block.size));
    for (const name of [
      "extraData",
      "logsBloom",
      "stateRoot",
      "transactionsRoot",
      "receiptsRoot",
      "sha3Uncles",
    ]) {
      out.hex(block[name]);
    }
    out.hexes(block.uncles);
    out.hex(block.nonce);
    out.hex(block.mixHash);
    out.hex(block.withdrawalsRoot);
    out.numeric(block.blobGasUsed);
    out.numeric(block.excessBlobGas);
    out.hex(block.parentBeaconBlockRoot);
    out.hex(block.requestsHash);
    out.int4(block.transactions.length);
    out.int4(logs);
  }

  #addTransaction(number: number, block: Raw, transaction: Raw, receipt: Raw & { logs: Raw[] }): void {
    const out = this.#tables.transactions;
    out.row(31);
    out.int8(number);
    out.int4(Number(transaction.transactionIndex));
    out.hex(transaction.hash);
    out.hex(block.hash);
    out.int2(transaction.type);
    out.hex(transaction.from);
    out.hex(transaction.to);
    for (const name of ["nonce", "value", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"]) {
      out.numeric(transaction[name]);
    }
    out.hex(transaction.input);
    out.json(transaction.accessList);
    out.numeric(transaction.chainId);
    out.numeric(transaction.maxFeePerBlobGas);
    if (transaction.blobVersionedHashes) out.hexes(transaction.blobVersionedHashes);
    else out.none();
    out.json(transaction.authorizationList);
    out.hex(padded(transaction.r));
    out.hex(padded(transaction.s));
    out.numeric(transaction.v);
    out.int2(transaction.yParity);
    out.int2(receipt.status);
    out.numeric(receipt.gasUsed);
    out.numeric(receipt.cumulativeGasUsed);
    out.numeric(receipt.effectiveGasPrice);
    out.hex(receipt.contractAddress);
    out.numeric(receipt.blobGasUsed);
    out.numeric(receipt.blobGasPrice);
    out.int4(receipt.logs.length);
  }

  #addLog(number: number, log: Raw): void {
    const out = this.#tables.logs;
    const topics = log.topics ?? [];
    out.row(11);
    out.int8(number);
    out.int4(Number(log.logIndex));
    out.hex(log.blockHash);
    out.hex(log.transactionHash);
    out.int4(Number(log.transactionIndex));
    out.hex(log.address);
    for (let i = 0; i < 4; i += 1) out.hex(topics[i]);
    out.hex(log.data);
    if (topics[0] === TRANSFER && topics.length === 3) this.#addTransfer(number, log, { value: log.data });
    else if (topics[0] === TRANSFER && topics.length === 4) {
      this.#addTransfer(number, log, { value: "0x1", id: topics[3] });
    } else if (topics[0] === SINGLE) {
      const [id, value] = words(log.data);
      this.#addTransfer(number, log, { value, id, operator: topics[1] });
    } else if (topics[0] === BATCH) this.#addBatch(number, log);
  }

  #addBatch(number: number, log: Raw): void {
    const all = words(log.data);
    const [ids, values] = [Number(all[0]) / 32, Number(all[1]) / 32];
    const count = Number(all[ids]);
    for (let i = 0; i < count; i += 1) {
      const moved = { value: all[values + 1 + i], id: all[ids + 1 + i], operator: log.topics?.[1] };
      this.#addTransfer(number, log, { ...moved, batchIndex: i });
    }
  }

  #addTransfer(
    number: number,
    log: Raw,
    moved: {
      value: string | undefined;
      id?: string | undefined;
      operator?: string | undefined;
      batchIndex?: number;
    },
  ): void {
    const out = this.#tables.token_transfers;
    const first = moved.operator === undefined ? 1 : 2;
    out.row(11);
    out.int8(number);
    out.int4(Number(log.logIndex));
    out.int4(moved.batchIndex ?? 0);
    out.hex(log.transactionHash);
    out.hex(log.address);
    out.text(moved.operator === undefined ? (moved.id === undefined ? "erc20" : "erc721") : "erc1155");
    out.hex(addressIn(moved.operator));
    out.hex(addressIn(log.topics?.[first]));
    out.hex(addressIn(log.topics?.[first + 1]));
    out.numeric(moved.value);
    out.numeric(moved.id);
  }
}

function padded(quantity: string | undefined): string | undefined {
  return quantity === undefined ? undefined : `0x${quantity.slice(2).padStart(64, "0")}`;
}

function addressIn(topic: string | undefined): string | undefined {
  return topic === undefined ? undefined : `0x${topic.slice(26)}`;
}

function words(data: string | undefined): string[] {
  return (data?.slice(2).match(/.{64}/g) ?? []).map((word) => `0x${word}`);
}

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

/** PostgreSQL's binary COPY format, into a buffer that grows. */
class BareWriter {
  #buffer = Buffer.allocUnsafeSlow(1 << 20);
  #at = SIGNATURE.copy(this.#buffer);

  take(): Buffer {
    this.#reserve(2);
    this.#buffer.writeInt16BE(-1, this.#at);
    const taken = Buffer.from(this.#buffer.subarray(0, this.#at + 2));
    this.#at = SIGNATURE.length;
    return taken;
  }

  row(columns: number): void {
    this.#reserve(2);
    this.#at = this.#buffer.writeInt16BE(columns, this.#at);
  }

  none(): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeInt32BE(-1, this.#at);
  }

  int2(value: string | null | undefined): void {
    if (value === null || value === undefined) {
      this.none();
      return;
    }
    this.#reserve(6);
    this.#at = this.#buffer.writeInt32BE(2, this.#at);
    this.#at = this.#buffer.writeInt16BE(Number(value), this.#at);
  }

  int4(value: number): void {
    this.#reserve(8);
    this.#at = this.#buffer.writeInt32BE(4, this.#at);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
  }

  int8(value: number): void {
    this.#reserve(12);
    this.#at = this.#buffer.writeInt32BE(8, this.#at);
    this.#at = this.#buffer.writeBigInt64BE(BigInt(value), this.#at);
  }

  /** A time, of seconds since 1970. */
  seconds(value: number): void {
    this.int8((value - 946_684_800) * 1_000_000);
  }

  hex(value: string | null | undefined): void {
    if (value === null || value === undefined) {
      this.none();
      return;
    }
    const length = value.length / 2 - 1;
    this.#reserve(4 + length);
    this.#at = this.#buffer.writeInt32BE(length, this.#at);
    this.#at += this.#buffer.write(value.slice(2), this.#at, "hex");
  }

  hexes(values: readonly string[] | null | undefined): void {
    const list = values ?? [];
    const bytes = list.reduce((sum, value) => sum + 4 + value.length / 2 - 1, list.length === 0 ? 12 : 20);
    this.int4(0);
    this.#at -= 8;
    this.#at = this.#buffer.writeInt32BE(bytes, this.#at);
    for (const word of list.length === 0 ? [0, 0, 17] : [1, 0, 17, list.length, 1]) {
      this.#reserve(4);
      this.#at = this.#buffer.writeInt32BE(word, this.#at);
    }
    for (const value of list) this.hex(value);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(4 + length);
    this.#at = this.#buffer.writeInt32BE(length, this.#at);
    this.#at += this.#buffer.write(value, this.#at);
  }

  json(value: unknown): void {
    if (value === null || value === undefined) {
      this.none();
      return;
    }
    this.text(`\x01${JSON.stringify(value)}`);
  }

  numeric(value: string | null | undefined): void {
    if (value === null || value === undefined) {
      this.none();
      return;
    }
    const digits: number[] = [];
    for (let rest = BigInt(value); rest > 0n; rest /= 10_000n) digits.push(Number(rest % 10_000n));
    this.#reserve(12 + digits.length * 2);
    this.#at = this.#buffer.writeInt32BE(8 + digits.length * 2, this.#at);
    this.#at = this.#buffer.writeInt16BE(digits.length, this.#at);
    this.#at = this.#buffer.writeInt16BE(Math.max(0, digits.length - 1), this.#at);
    this.#at = this.#buffer.writeInt32BE(0, this.#at);
    for (const digit of digits.reverse()) this.#at = this.#buffer.writeUInt16BE(digit, this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
