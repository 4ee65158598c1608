// Token transfers, told from the shape of logs alone: no contract is asked what it is.
//
// ERC-20   Transfer(address indexed from, address indexed to, uint256 value)
// ERC-721  Transfer(address indexed from, address indexed to, uint256 indexed tokenId)
// ERC-1155 TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)
//          TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)
//
// Anyone may emit these topics with anything behind them. What has another shape is no transfer, and
// no error.

import { toEventSelector } from "viem/utils";
import type { Block, Hex, Log, Quantity } from "../block.js";
import type { ObjectOf } from "../fields/field.js";
import type { tokenTransferFields } from "../fields/token-transfer.js";
import { abiDataOf, uintArrayAt, wordAt, wordToQuantity } from "./abi-words.js";

export interface TokenTransfer extends ObjectOf<typeof tokenTransferFields> {}

/** What turns a block into rows of one kind of event: pure, and never throws for what a log holds. */
export type Decoder<Event> = (block: Block) => Event[];

const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const TRANSFER_SINGLE = toEventSelector("TransferSingle(address,address,address,uint256,uint256)");
const TRANSFER_BATCH = toEventSelector("TransferBatch(address,address,address,uint256[],uint256[])");

/** The block's token transfers in the order of their logs; at most one for each 32 bytes of log. */
export const decodeTokenTransfers: Decoder<TokenTransfer> = (block) => {
  const transfers: TokenTransfer[] = [];
  for (const { receipt } of block.transactions) {
    for (const log of receipt.logs) {
      if (log.topics[0] === TRANSFER) addTransfer(transfers, log);
      else if (log.topics[0] === TRANSFER_SINGLE) addTransferSingle(transfers, log);
      else if (log.topics[0] === TRANSFER_BATCH) addTransferBatch(transfers, log);
    }
  }
  return transfers;
};

function addTransfer(transfers: TokenTransfer[], log: Log): void {
  const fromAddress = topicToAddress(log.topics[1]);
  const toAddress = topicToAddress(log.topics[2]);
  if (fromAddress === undefined || toAddress === undefined) return;
  const data = abiDataOf(log.data);
  const parties = { operator: null, fromAddress, toAddress };
  const tokenId = log.topics[3];
  if (tokenId === undefined) {
    const value = data?.words === 1 ? wordAt(data, 0) : undefined;
    if (value !== undefined) transfers.push(transferOf(log, "erc20", parties, { value, tokenId: null }));
  } else if (data?.words === 0) {
    const moved = { value: "0x1", tokenId: wordToQuantity(tokenId.slice(2)) } as const;
    transfers.push(transferOf(log, "erc721", parties, moved));
  }
}

function addTransferSingle(transfers: TokenTransfer[], log: Log): void {
  const parties = partiesOf1155(log);
  const data = abiDataOf(log.data);
  if (parties === undefined || data?.words !== 2) return;
  const tokenId = wordAt(data, 0);
  const value = wordAt(data, 1);
  if (tokenId === undefined || value === undefined) return;
  transfers.push(transferOf(log, "erc1155", parties, { value, tokenId }));
}

function addTransferBatch(transfers: TokenTransfer[], log: Log): void {
  const parties = partiesOf1155(log);
  const data = abiDataOf(log.data);
  if (parties === undefined || data === undefined) return;
  const ids = uintArrayAt(data, 0);
  const values = uintArrayAt(data, 1);
  if (ids === undefined || values === undefined || ids.length !== values.length) return;
  for (const [batchIndex, tokenId] of ids.entries()) {
    const value = values[batchIndex];
    if (value !== undefined)
      transfers.push(transferOf(log, "erc1155", parties, { value, tokenId, batchIndex }));
  }
}

type Parties = Pick<TokenTransfer, "operator" | "fromAddress" | "toAddress">;

function transferOf(
  log: Log,
  standard: TokenTransfer["standard"],
  { operator, fromAddress, toAddress }: Parties,
  { value, tokenId, batchIndex = 0 }: { value: Quantity; tokenId: Quantity | null; batchIndex?: number },
): TokenTransfer {
  return {
    logIndex: log.logIndex,
    batchIndex,
    transactionHash: log.transactionHash,
    tokenAddress: log.address,
    standard,
    operator,
    fromAddress,
    toAddress,
    value,
    tokenId,
  };
}

function partiesOf1155(log: Log): Parties | undefined {
  const operator = topicToAddress(log.topics[1]);
  const fromAddress = topicToAddress(log.topics[2]);
  const toAddress = topicToAddress(log.topics[3]);
  if (operator === undefined || fromAddress === undefined || toAddress === undefined) return undefined;
  return { operator, fromAddress, toAddress };
}

const ADDRESS_PADDING = `0x${"0".repeat(24)}`;

/** An indexed address is padded with 12 zero bytes; a topic that is not is no address. */
function topicToAddress(topic: Hex | undefined): Hex | undefined {
  return topic?.startsWith(ADDRESS_PADDING) ? `0x${topic.slice(ADDRESS_PADDING.length)}` : undefined;
}
