/** What an endpoint can: found by probing, and learnt from its answers. */
export interface Capabilities {
  /** Null: it was not asked yet. From then on each of its connections must lead to this chain. */
  chainId: number | null;
  /** How eth_getBlockReceipts names its block; null: the endpoint lacks the method. */
  receiptsBy: ReceiptsBy | null;
  /** Which of the tags it knows. */
  finalized: boolean;
  safe: boolean;
  /** Calls in one JSON-RPC batch; 1: it takes no batches. */
  batchSize: number;
  /** Blocks below this one are pruned there. */
  lowestBlock: number;
}

/** By a block's hash as text, by an object {"blockHash"} (EIP-1898), or by number only. */
export type ReceiptsBy = "hash" | "hash-object" | "number";

/** What is assumed before an endpoint was probed. */
export function assumedCapabilities(batchSize: number): Capabilities {
  return { chainId: null, receiptsBy: "hash", finalized: true, safe: true, batchSize, lowestBlock: 0 };
}
