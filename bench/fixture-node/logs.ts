// The events of a mainnet-like block: token transfers, swaps, approvals, and odd ones.
import { concat, leftPad, word } from "./hex.js";
import { keccak } from "./keccak.js";
import { Random } from "./random.js";

export interface GeneratedLog {
  address: Uint8Array;
  topics: Uint8Array[];
  data: Uint8Array;
}

const KINDS = [
  "erc20-transfer",
  "erc721-transfer",
  "swap",
  "sync",
  "erc1155-single",
  "erc1155-batch",
  "approval",
  "anonymous",
  "other",
] as const;
type Kind = (typeof KINDS)[number];

/** Out of 100, in the order of KINDS. */
const WEIGHTS = [48, 5, 10, 10, 3, 2, 9, 2, 11];

const TOKENS = 256;
const HOLDERS = 4_096;

/** Generates the logs of receipts. Contracts and holders come from pools, a few of them far more often. */
export class LogGenerator {
  readonly #tokens: readonly Buffer[];
  readonly #holders: readonly Buffer[];
  readonly #signatures: Readonly<Record<string, Uint8Array>>;

  constructor({ seed }: { seed: number }) {
    const random = new Random(`${seed}/contracts`);
    this.#tokens = Array.from({ length: TOKENS }, () => random.bytes(20));
    this.#holders = Array.from({ length: HOLDERS }, () => random.bytes(20));
    this.#signatures = {
      transfer: topic("Transfer(address,address,uint256)"),
      approval: topic("Approval(address,address,uint256)"),
      swap: topic("Swap(address,uint256,uint256,uint256,uint256,address)"),
      sync: topic("Sync(uint112,uint112)"),
      single: topic("TransferSingle(address,address,address,uint256,uint256)"),
      batch: topic("TransferBatch(address,address,address,uint256[],uint256[])"),
      other: topic("Updated(bytes32,uint256)"),
    };
  }

  /** A contract, as the target of a transaction. */
  contract(random: Random): Uint8Array {
    return skewed(random, this.#tokens);
  }

  /** `count` logs; a block's first ones (by `ordinal`) show every kind once, so that small blocks do too. */
  logs(random: Random, { count, ordinal }: { count: number; ordinal: number }): GeneratedLog[] {
    return Array.from({ length: count }, (_, i) =>
      this.#log(random, KINDS[ordinal + i] ?? weightedKind(random)),
    );
  }

  #log(random: Random, kind: Kind): GeneratedLog {
    const address = skewed(random, this.#tokens);
    const holder = () => leftPad(skewed(random, this.#holders));
    const amount = () => word(random.bigint(20 + random.below(80)));
    const sign = (name: string): Uint8Array => this.#signatures[name] ?? new Uint8Array(32);
    switch (kind) {
      case "erc20-transfer":
        return { address, topics: [sign("transfer"), holder(), holder()], data: amount() };
      case "erc721-transfer":
        return {
          address,
          topics: [sign("transfer"), holder(), holder(), word(random.bigint(14))],
          data: Buffer.alloc(0),
        };
      case "swap":
        return {
          address,
          topics: [sign("swap"), holder(), holder()],
          data: concat(amount(), word(0n), word(0n), amount()),
        };
      case "sync":
        return { address, topics: [sign("sync")], data: concat(amount(), amount()) };
      case "erc1155-single":
        return {
          address,
          topics: [sign("single"), holder(), holder(), holder()],
          data: concat(word(random.bigint(14)), amount()),
        };
      case "erc1155-batch": {
        const size = 1 + random.below(4);
        const ids = Array.from({ length: size }, () => word(random.bigint(14)));
        const values = Array.from({ length: size }, amount);
        const length = word(BigInt(size));
        const valuesAt = word(BigInt(64 + 32 * (size + 1)));
        return {
          address,
          topics: [sign("batch"), holder(), holder(), holder()],
          data: concat(word(64n), valuesAt, length, ...ids, length, ...values),
        };
      }
      case "approval":
        return {
          address,
          topics: [sign("approval"), holder(), holder()],
          data: random.chance(0.3) ? Buffer.alloc(32, 0xff) : amount(),
        };
      case "anonymous":
        return { address, topics: [], data: random.bytes(random.below(100)) };
      case "other":
        return {
          address,
          topics: [sign("other"), random.bytes(32)],
          data: random.bytes(32 * random.below(8)),
        };
    }
  }
}

function topic(signature: string): Uint8Array {
  return keccak(Buffer.from(signature));
}

function weightedKind(random: Random): Kind {
  let left = random.below(100);
  for (const [i, kind] of KINDS.entries()) {
    left -= WEIGHTS[i] ?? 0;
    if (left < 0) return kind;
  }
  return "other";
}

/** The front of the list is picked far more often than its end. */
function skewed(random: Random, list: readonly Buffer[]): Buffer {
  const item = list[Math.floor(list.length * random.fraction() ** 2)];
  return item ?? Buffer.alloc(20);
}
