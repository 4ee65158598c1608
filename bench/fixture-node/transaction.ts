// Signed transactions of every Ethereum type, and their JSON-RPC form.
import { type Input, RLP } from "@ethereumjs/rlp";
import { concat, leftPad, quantity, toHex, word } from "./hex.js";
import { keccak } from "./keccak.js";
import type { LogGenerator } from "./logs.js";
import type { Random } from "./random.js";
import type { Account, Signature, Signer } from "./signer.js";

export interface SignedTransaction {
  type: number;
  hash: Uint8Array;
  /** What the transactions root holds: RLP, or the type and RLP (EIP-2718). */
  encoded: Uint8Array;
  from: Account;
  /** Null: creates a contract. */
  to: Uint8Array | null;
  nonce: number;
  gas: number;
  inputLength: number;
  fees: Fees;
  /** How many blobs it carries. */
  blobs: number;
  /** The JSON-RPC fields that do not depend on where the transaction is included. */
  json: Record<string, unknown>;
}

type Fees = { gasPrice: bigint } | { maxFee: bigint; tip: bigint };

/** Which types exist when the transaction is made. */
export interface TransactionRules {
  chainId: number;
  /** EIP-155 is in force. */
  protected: boolean;
  highestType: number;
}

export interface TransactionOrder {
  /** The place that it is made for: the first five of a block show every type. */
  index: number;
  /** Makes the sender's nonces grow with the chain. */
  number: number;
  rules: TransactionRules;
}

const GWEI = 1_000_000_000;
const FIRST_TYPES = [2, 0, 1, 4, 3];

export class TransactionGenerator {
  readonly #signer: Signer;
  readonly #logs: LogGenerator;

  constructor({ signer, logs }: { signer: Signer; logs: LogGenerator }) {
    this.#signer = signer;
    this.#logs = logs;
  }

  make(random: Random, { index, number, rules }: TransactionOrder): SignedTransaction {
    const type = typeAt(random, index, rules);
    const from = random.pick(this.#signer.accounts);
    const creates = type < 3 && (index === 6 || random.chance(0.01));
    const to = creates ? null : this.#logs.contract(random);
    const input = creates ? random.bytes(200 + random.below(2_000)) : callData(random);
    const nonce = number * 8 + Math.floor(index / 64);
    const gas = 300_000 + 40 * input.length + random.below(900_000);
    const value = random.chance(0.4) ? random.bigint(40 + random.below(28)) : 0n;
    const fees = feesOf(random, type);
    const accessList = type === 1 || (type > 1 && random.chance(0.1)) ? this.#accessList(random) : [];
    const chainId = type === 0 && !(rules.protected && !random.chance(0.08)) ? null : rules.chainId;
    const blobHashes =
      type === 3
        ? Array.from({ length: 1 + random.below(2) }, () => concat(Uint8Array.of(1), random.bytes(31)))
        : [];
    const maxFeePerBlobGas = BigInt(1 + random.below(20)) * BigInt(GWEI);
    const authorizations = type === 4 ? this.#authorizations(random, rules.chainId) : [];

    const price: Input[] = "gasPrice" in fees ? [fees.gasPrice] : [fees.tip, fees.maxFee];
    const common: Input[] = [nonce, ...price, gas, to ?? "", value, input];
    const body: Input[] = type === 0 ? common : [rules.chainId, ...common, encodeAccessList(accessList)];
    if (type === 3) body.push(maxFeePerBlobGas, blobHashes);
    if (type === 4) body.push(authorizations.map(({ tuple, signature }) => [...tuple, ...yrs(signature)]));
    const unsigned = type === 0 && chainId !== null ? [...body, chainId, 0, 0] : body;
    const signature = this.#signer.sign(from, keccak(envelope(type, unsigned)));
    const v = type > 0 ? signature.yParity : (chainId === null ? 27 : 35 + 2 * chainId) + signature.yParity;
    const encoded = envelope(type, [...body, v, signature.r, signature.s]);
    const hash = keccak(encoded);

    const json: Record<string, unknown> = {
      from: toHex(from.address),
      gas: quantity(gas),
      gasPrice: null,
      ...("tip" in fees && {
        maxFeePerGas: quantity(fees.maxFee),
        maxPriorityFeePerGas: quantity(fees.tip),
      }),
      ...(type === 3 && { maxFeePerBlobGas: quantity(maxFeePerBlobGas) }),
      hash: toHex(hash),
      input: toHex(input),
      nonce: quantity(nonce),
      to: to && toHex(to),
      transactionIndex: null,
      value: quantity(value),
      type: quantity(type),
      ...(type > 0 && {
        accessList: accessList.map((entry) => ({
          address: toHex(entry.address),
          storageKeys: entry.storageKeys.map(toHex),
        })),
      }),
      ...(chainId !== null && { chainId: quantity(chainId) }),
      ...(type === 3 && { blobVersionedHashes: blobHashes.map(toHex) }),
      ...(type === 4 && { authorizationList: authorizations.map(({ json }) => json) }),
      v: quantity(v),
      r: quantity(signature.r),
      s: quantity(signature.s),
      ...(type > 0 && { yParity: quantity(signature.yParity) }),
    };
    const blobs = blobHashes.length;
    return { type, hash, encoded, from, to, nonce, gas, inputLength: input.length, fees, blobs, json };
  }

  #accessList(random: Random): { address: Uint8Array; storageKeys: Uint8Array[] }[] {
    return Array.from({ length: 1 + random.below(3) }, () => ({
      address: this.#logs.contract(random),
      storageKeys: Array.from({ length: random.below(4) }, () => random.bytes(32)),
    }));
  }

  /** EIP-7702: keccak(0x05 || rlp([chain_id, address, nonce])), signed. */
  #authorizations(random: Random, chainId: number) {
    return Array.from({ length: 1 + random.below(2) }, () => {
      const authority = random.pick(this.#signer.accounts);
      const address = this.#logs.contract(random);
      const validOn = random.chance(0.2) ? 0 : chainId;
      const nonce = random.below(1_000);
      const tuple: Input[] = [validOn, address, nonce];
      const signature = this.#signer.sign(authority, keccak(concat(Uint8Array.of(5), RLP.encode(tuple))));
      const json = {
        chainId: quantity(validOn),
        address: toHex(address),
        nonce: quantity(nonce),
        yParity: quantity(signature.yParity),
        r: quantity(signature.r),
        s: quantity(signature.s),
      };
      return { tuple, signature, json };
    });
  }
}

/** Wei per gas that the transaction pays in a block with this base fee (EIP-1559). */
export function effectiveGasPrice(fees: Fees, baseFee: bigint): bigint {
  if ("gasPrice" in fees) return fees.gasPrice;
  const wanted = baseFee + fees.tip;
  if (wanted > fees.maxFee) return fees.maxFee;
  return wanted;
}

function typeAt(random: Random, index: number, { highestType }: TransactionRules): number {
  const wanted = FIRST_TYPES[index] ?? (index % 50 === 25 ? 3 : weightedType(random));
  if (wanted <= highestType) return wanted;
  return wanted > 2 ? Math.min(2, highestType) : 0;
}

function weightedType(random: Random): number {
  const roll = random.fraction();
  if (roll < 0.8) return 2;
  if (roll < 0.95) return 0;
  return roll < 0.97 ? 1 : 4;
}

/** At least as much as the highest base fee of the chain, so that a transaction fits any block. */
function feesOf(random: Random, type: number): Fees {
  const priceGwei = 31 + random.below(60);
  if (type < 2) return { gasPrice: BigInt(priceGwei * GWEI + random.below(GWEI)) };
  return { maxFee: BigInt(priceGwei * GWEI), tip: BigInt(random.below(3 * GWEI)) };
}

/** A selector and words, most of them addresses and amounts. */
function callData(random: Random): Buffer {
  if (random.chance(0.25)) return Buffer.alloc(0);
  const words = random.chance(0.6) ? 2 : Math.floor(-Math.log(1 - random.fraction()) * 12);
  return concat(
    random.bytes(4),
    ...Array.from({ length: words }, () =>
      random.chance(0.5) ? leftPad(random.bytes(20)) : word(random.bigint(1 + random.below(100))),
    ),
  );
}

function encodeAccessList(list: readonly { address: Uint8Array; storageKeys: Uint8Array[] }[]): Input {
  return list.map(({ address, storageKeys }) => [address, storageKeys]);
}

function yrs({ yParity, r, s }: Signature): Input[] {
  return [yParity, r, s];
}

function envelope(type: number, fields: Input[]): Uint8Array {
  const payload = RLP.encode(fields);
  return type === 0 ? payload : concat(Uint8Array.of(type), payload);
}
