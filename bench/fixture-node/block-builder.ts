// One block: transactions, receipts, roots, blooms, header, and the JSON that a node answers with.
//
// Roots, blooms and hashes are right. What only the EVM could tell is made up: state roots, gas, the
// base fee and the excess blob gas are functions of the block's place, not of its parent.
import { createHash } from "node:crypto";
import { type Input, RLP } from "@ethereumjs/rlp";
import { Blooms } from "./bloom.js";
import { type ChainOptions, transactionCount } from "./chain-options.js";
import type { EraName } from "./eras.js";
import { concat, quantity, toHex } from "./hex.js";
import { keccak } from "./keccak.js";
import { type GeneratedLog, LogGenerator } from "./logs.js";
import { Random } from "./random.js";
import { Signer } from "./signer.js";
import { effectiveGasPrice, type SignedTransaction, TransactionGenerator } from "./transaction.js";
import { orderedRoot } from "./trie.js";

export interface BuiltBlock {
  number: number;
  hash: string;
  parentHash: string;
  /** eth_getBlockByNumber(n, true), as JSON. */
  full: Buffer;
  /** eth_getBlockByNumber(n, false), as JSON. */
  hashesOnly: Buffer;
  /** eth_getBlockReceipts(n), as JSON. */
  receipts: Buffer;
}

/** Where a block stands: `ancestry` is its branch, then the branches that it forked from. */
export interface Place {
  ancestry: readonly string[];
  number: number;
  parentHash: string;
}

interface Receipt {
  encoded: Uint8Array;
  bloom: Uint8Array;
  gasUsed: number;
  cumulativeGasUsed: number;
  logs: GeneratedLog[];
  json: Record<string, unknown>;
}

const BLOB_GAS = 131_072;
const WITHDRAWALS = 16;
const ZERO_HASH = `0x${"00".repeat(32)}`;

export class BlockBuilder {
  readonly #options: ChainOptions;
  readonly #blooms = new Blooms();
  readonly #logs: LogGenerator;
  readonly #transactions: TransactionGenerator;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#logs = new LogGenerator(options);
    this.#transactions = new TransactionGenerator({ signer: new Signer(options), logs: this.#logs });
  }

  build(place: Place): BuiltBlock {
    const { number, parentHash } = place;
    const random = this.#random(place, "header");
    const baseFee = this.#since("london", number) ? BigInt(5e9 + random.below(25e9)) : 0n;
    const blobGasPrice = BigInt(1 + random.below(1e9));
    const transactions = this.#blockTransactions(place);
    const receipts = this.#receipts(place, transactions, { baseFee, blobGasPrice });
    const withdrawals = this.#withdrawals(place);
    const uncles = this.#uncles(place);

    const gasUsed = receipts.at(-1)?.cumulativeGasUsed ?? 0;
    const logsBloom = this.#blooms.union(receipts.map(({ bloom }) => bloom));
    const merged = this.#since("paris", number);
    const fields = {
      parentHash: Buffer.from(parentHash.slice(2), "hex"),
      sha3Uncles: keccak(RLP.encode(uncles)),
      miner: random.bytes(20),
      stateRoot: random.bytes(32),
      transactionsRoot: orderedRoot(transactions.map(({ encoded }) => encoded)),
      receiptsRoot: orderedRoot(receipts.map(({ encoded }) => encoded)),
      logsBloom,
      difficulty: merged ? 0 : this.#difficulty(),
      number,
      gasLimit: Math.max(36_000_000, gasUsed),
      gasUsed,
      timestamp: this.#timestamp(number),
      extraData: random.bytes(random.below(33)),
      mixHash: random.bytes(32),
      nonce: merged ? Buffer.alloc(8) : random.bytes(8),
    };
    const later: Record<string, Uint8Array | number | bigint> = {
      ...(this.#since("london", number) && { baseFeePerGas: baseFee }),
      ...(withdrawals && { withdrawalsRoot: orderedRoot(withdrawals.map(({ encoded }) => encoded)) }),
      ...(this.#since("cancun", number) && {
        blobGasUsed: BLOB_GAS * transactions.reduce((sum, { blobs }) => sum + blobs, 0),
        excessBlobGas: BLOB_GAS * random.below(600),
        parentBeaconBlockRoot: random.bytes(32),
      }),
      // EIP-7685: no requests, so the SHA-256 of nothing.
      ...(this.#since("prague", number) && { requestsHash: createHash("sha256").digest() }),
      ...(this.#since("unknown", number) && { unknownRoot: createHash("sha256").digest() }),
    };
    const header: Input[] = [...Object.values(fields), ...Object.values(later)];
    const encodedHeader = RLP.encode(header);
    const hash = toHex(keccak(encodedHeader));
    const size = listSize([
      encodedHeader.length,
      listSize(
        transactions.map(({ type, encoded }) => (type === 0 ? encoded.length : listSize([encoded.length]))),
      ),
      RLP.encode(uncles).length,
      ...(withdrawals ? [listSize(withdrawals.map(({ encoded }) => encoded.length))] : []),
    ]);
    const headerJson = {
      hash,
      ...jsonFields(fields),
      ...jsonFields(later),
      ...(!merged && { totalDifficulty: quantity(BigInt(this.#difficulty()) * BigInt(number + 1)) }),
      size: quantity(size),
      uncles: uncles.map((uncle) => toHex(keccak(RLP.encode(uncle)))),
      ...(withdrawals && { withdrawals: withdrawals.map(({ json }) => json) }),
    };
    const inBlock = { blockHash: hash, blockNumber: quantity(number) };
    const transactionsJson = transactions.map(({ json, fees }, index) => ({
      ...inBlock,
      ...json,
      gasPrice: quantity(effectiveGasPrice(fees, baseFee)),
      transactionIndex: quantity(index),
    }));
    return {
      number,
      hash,
      parentHash,
      full: jsonBuffer({ ...headerJson, transactions: transactionsJson }),
      hashesOnly: jsonBuffer({ ...headerJson, transactions: transactions.map(({ hash }) => toHex(hash)) }),
      receipts: jsonBuffer(this.#receiptsJson({ inBlock, transactions, receipts, number })),
    };
  }

  /** The parent of the chain's first block: nothing below it exists. */
  firstParentHash(): string {
    const { seed, start } = this.#options;
    return start === 0 ? ZERO_HASH : toHex(new Random(`${seed}/below/${start}`).bytes(32));
  }

  /**
   * A branch takes half of its transactions from the branch that it forked from: a quarter sit at the
   * same place there, a quarter one block later. So a reorg keeps, moves, drops and adds transactions.
   */
  #blockTransactions(place: Place): SignedTransaction[] {
    const count = transactionCount(this.#options, place.number);
    return Array.from({ length: count }, (_, index) => this.#transaction(place, index));
  }

  #transaction({ ancestry, number }: Pick<Place, "ancestry" | "number">, index: number): SignedTransaction {
    if (ancestry.length > 1 && index % 2 === 0) {
      const from = index % 4 === 0 ? number : number + 1;
      const same = this.#sameRules(number, from);
      if (same) return this.#transaction({ ancestry: ancestry.slice(1), number: from }, index);
    }
    return this.#transactions.make(this.#random({ ancestry, number }, `transaction/${index}`), {
      index,
      number,
      rules: this.#rules(number),
    });
  }

  #receipts(
    place: Place,
    transactions: readonly SignedTransaction[],
    { baseFee, blobGasPrice }: { baseFee: bigint; blobGasPrice: bigint },
  ): Receipt[] {
    const random = this.#random(place, "receipts");
    const hasStatus = this.#since("byzantium", place.number);
    let cumulativeGasUsed = 0;
    let ordinal = 0;
    return transactions.map((transaction, index) => {
      const succeeded = index !== 7 && !random.chance(0.03);
      const count = succeeded ? this.#logCount(random, index) : 0;
      const logs = this.#logs.logs(random, { count, ordinal });
      ordinal += count;
      const wanted = 21_000 + 16 * transaction.inputLength + 18_000 * count + random.below(40_000);
      const gasUsed = Math.min(wanted, transaction.gas);
      cumulativeGasUsed += gasUsed;
      const bloom = this.#blooms.ofLogs(logs);
      const outcome = hasStatus ? Number(succeeded) : random.bytes(32);
      const payload = RLP.encode([
        outcome,
        cumulativeGasUsed,
        bloom,
        logs.map(({ address, topics, data }) => [address, topics, data]),
      ]);
      const { type, blobs } = transaction;
      const encoded = type === 0 ? payload : concat(Uint8Array.of(type), payload);
      // Also of a creation that failed, as geth tells it.
      const created = transaction.to === null ? contractAddress(transaction) : null;
      const json = {
        ...(blobs > 0 && { blobGasPrice: quantity(blobGasPrice), blobGasUsed: quantity(BLOB_GAS * blobs) }),
        contractAddress: created && toHex(created),
        effectiveGasPrice: quantity(effectiveGasPrice(transaction.fees, baseFee)),
        ...(typeof outcome === "number" ? { status: quantity(outcome) } : { root: toHex(outcome) }),
      };
      return { encoded, bloom, gasUsed, cumulativeGasUsed, logs, json };
    });
  }

  #receiptsJson({
    inBlock,
    transactions,
    receipts,
    number,
  }: {
    inBlock: { blockHash: string; blockNumber: string };
    transactions: readonly SignedTransaction[];
    receipts: readonly Receipt[];
    number: number;
  }): unknown[] {
    const blockTimestamp = quantity(this.#timestamp(number));
    let logIndex = 0;
    return receipts.map((receipt, index) => {
      const transaction = transactions[index];
      if (!transaction) throw new RangeError("a receipt without a transaction");
      const placed = {
        transactionHash: toHex(transaction.hash),
        transactionIndex: quantity(index),
        ...inBlock,
      };
      const logs = receipt.logs.map(({ address, topics, data }) => {
        const json = {
          address: toHex(address),
          topics: topics.map(toHex),
          data: toHex(data),
          ...placed,
          blockTimestamp,
          logIndex: quantity(logIndex),
          removed: false,
        };
        logIndex += 1;
        return json;
      });
      return {
        ...inBlock,
        ...receipt.json,
        cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
        from: toHex(transaction.from.address),
        gasUsed: quantity(receipt.gasUsed),
        logs,
        logsBloom: toHex(receipt.bloom),
        to: transaction.to && toHex(transaction.to),
        transactionHash: placed.transactionHash,
        transactionIndex: placed.transactionIndex,
        type: quantity(transaction.type),
      };
    });
  }

  /** Exponential around the mean; the first transactions of a block have at least two. */
  #logCount(random: Random, index: number): number {
    const mean = this.#options.logsPerTransaction;
    if (mean === 0) return 0;
    const count = Math.min(40, Math.round(-Math.log(1 - random.fraction()) * mean));
    return index < 5 ? Math.max(2, count) : count;
  }

  #withdrawals(place: Place) {
    if (!this.#since("shanghai", place.number)) return null;
    const random = this.#random(place, "withdrawals");
    return Array.from({ length: place.number === 0 ? 0 : WITHDRAWALS }, (_, i) => {
      const index = place.number * WITHDRAWALS + i;
      const validatorIndex = random.below(1_000_000);
      const address = random.bytes(20);
      const amount = random.below(30_000_000);
      const tuple: Input[] = [index, validatorIndex, address, amount];
      const json = {
        index: quantity(index),
        validatorIndex: quantity(validatorIndex),
        address: toHex(address),
        amount: quantity(amount),
      };
      return { encoded: RLP.encode(tuple), json };
    });
  }

  /** One block in five before the merge has an uncle: a header that nothing else knows. */
  #uncles(place: Place): Input[][] {
    const random = this.#random(place, "uncles");
    if (place.number < 2 || this.#since("paris", place.number) || !random.chance(0.2)) return [];
    const hashes = Array.from({ length: 5 }, () => random.bytes(32));
    const [parent = "", state = "", transactions = "", receipts = "", mix = ""] = hashes;
    const emptyUncles = keccak(RLP.encode([]));
    const uncle: Input[] = [
      ...[parent, emptyUncles, random.bytes(20), state, transactions, receipts, random.bytes(256)],
      ...[this.#difficulty(), place.number - 1, 8_000_000, random.below(8_000_000)],
      ...[this.#timestamp(place.number - 1), random.bytes(8), mix, random.bytes(8)],
    ];
    return [uncle];
  }

  #random({ ancestry, number }: Pick<Place, "ancestry" | "number">, purpose: string): Random {
    return new Random(`${this.#options.seed}/${ancestry[0] ?? ""}/${number}/${purpose}`);
  }

  #since(era: EraName, number: number): boolean {
    return number >= this.#options.eras[era];
  }

  #rules(number: number) {
    const types: [EraName, number][] = [
      ["prague", 4],
      ["cancun", 3],
      ["london", 2],
      ["berlin", 1],
    ];
    return {
      chainId: this.#options.chainId,
      protected: this.#since("spuriousDragon", number),
      highestType: types.find(([era]) => this.#since(era, number))?.[1] ?? 0,
    };
  }

  #sameRules(a: number, b: number): boolean {
    const [one, other] = [this.#rules(a), this.#rules(b)];
    return one.highestType === other.highestType && one.protected === other.protected;
  }

  #timestamp(number: number): number {
    const { first, step } = this.#options.timestamp;
    return first + number * step;
  }

  #difficulty(): number {
    return 17_179_869_184;
  }
}

/** The length of an RLP list (or long string) whose items take `sizes` bytes. */
function listSize(sizes: readonly number[]): number {
  const payload = sizes.reduce((sum, size) => sum + size, 0);
  return payload + (payload < 56 ? 1 : 1 + Math.ceil(payload.toString(16).length / 2));
}

function contractAddress({ from, nonce }: SignedTransaction): Uint8Array {
  return keccak(RLP.encode([from.address, nonce])).slice(12);
}

function jsonFields(fields: Record<string, Uint8Array | number | bigint>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? toHex(value) : quantity(value),
    ]),
  );
}

function jsonBuffer(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
