// The block as the program knows it: what src/chain produces and everything after it reads.
//
// Every hex string here was checked by the parser: lower case, 0x, of the stated length. A `Hex` of
// bytes has an even number of digits; a `Quantity` is a number in hex without leading zeros, at most
// the stated number of bits. Quantities stay hex until they are encoded: most are only copied, and
// half of them do not fit a JavaScript number.

/** Bytes as lower-case 0x hex. */
export type Hex = `0x${string}`;

/** A non-negative integer as lower-case 0x hex without leading zeros (JSON-RPC "QUANTITY"). */
export type Quantity = `0x${string}`;

/** A block, on its branch. */
export interface BlockRef {
  number: number;
  hash: Hex;
}

/** Fields that the schema has no column for, as the node sent them. */
export type Extra = Record<string, unknown>;

export interface Header {
  number: number;
  hash: Hex;
  parentHash: Hex;
  /** Seconds since 1970. */
  timestamp: number;
  miner: Hex;
  /** 64 bits. */
  gasLimit: Quantity;
  /** 64 bits. */
  gasUsed: Quantity;
  baseFeePerGas: Quantity | null;
  difficulty: Quantity | null;
  totalDifficulty: Quantity | null;
  /** Bytes. */
  size: number | null;
  extraData: Hex;
  /** 256 bytes. */
  logsBloom: Hex;
  stateRoot: Hex;
  transactionsRoot: Hex;
  receiptsRoot: Hex;
  sha3Uncles: Hex;
  uncles: Hex[];
  /** 8 bytes. */
  nonce: Hex | null;
  mixHash: Hex | null;
  withdrawalsRoot: Hex | null;
  /** 64 bits. */
  blobGasUsed: Quantity | null;
  /** 64 bits. */
  excessBlobGas: Quantity | null;
  parentBeaconBlockRoot: Hex | null;
  requestsHash: Hex | null;
  extra: Extra | null;
}

export interface AccessListEntry {
  address: Hex;
  storageKeys: Hex[];
}

/** EIP-7702. */
export interface Authorization {
  chainId: Quantity;
  address: Hex;
  nonce: Quantity;
  yParity: Quantity;
  r: Quantity;
  s: Quantity;
}

export interface Receipt {
  /** 1 succeeded, 0 reverted, null before Byzantium. */
  status: number | null;
  /** Before Byzantium: the state root after the transaction. */
  root: Hex | null;
  /** 64 bits. */
  gasUsed: Quantity;
  /** 64 bits. */
  cumulativeGasUsed: Quantity;
  effectiveGasPrice: Quantity | null;
  contractAddress: Hex | null;
  /** 64 bits. */
  blobGasUsed: Quantity | null;
  blobGasPrice: Quantity | null;
  /** 256 bytes. */
  logsBloom: Hex;
  /** In the order of their index. */
  logs: Log[];
  extra: Extra | null;
}

export interface Transaction {
  transactionIndex: number;
  hash: Hex;
  /** 0 to 255. */
  type: number;
  from: Hex;
  /** Null: creates a contract. */
  to: Hex | null;
  /** 64 bits. */
  nonce: Quantity;
  value: Quantity;
  /** 64 bits. */
  gas: Quantity;
  gasPrice: Quantity | null;
  maxFeePerGas: Quantity | null;
  maxPriorityFeePerGas: Quantity | null;
  input: Hex;
  accessList: AccessListEntry[] | null;
  chainId: Quantity | null;
  maxFeePerBlobGas: Quantity | null;
  blobVersionedHashes: Hex[] | null;
  authorizationList: Authorization[] | null;
  r: Quantity | null;
  s: Quantity | null;
  v: Quantity | null;
  /** 0 or 1. */
  yParity: number | null;
  extra: Extra | null;
  receipt: Receipt;
}

export interface Log {
  logIndex: number;
  transactionIndex: number;
  transactionHash: Hex;
  address: Hex;
  /** At most four, 32 bytes each. */
  topics: Hex[];
  data: Hex;
}

export interface Withdrawal {
  /** 64 bits. */
  index: Quantity;
  /** 64 bits. */
  validatorIndex: Quantity;
  address: Hex;
  /** Gwei, 64 bits. */
  amount: Quantity;
}

/** A block with everything in it: the transactions carry their receipts, the receipts their logs. */
export interface Block {
  header: Header;
  transactions: Transaction[];
  /** Null before Shanghai and on chains without withdrawals. */
  withdrawals: Withdrawal[] | null;
}
