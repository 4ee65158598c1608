// Blocks of a real node: anvil computes real hashes and roots, with code that is not ours.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import type { Block } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { startAnvil } from "../support/anvil.js";
import { resealed } from "./reseal.js";

type Hex = `0x${string}`;

export interface Chain {
  chainId: number;
  accounts: HDAccount[];
  request(method: string, ...params: unknown[]): Promise<unknown>;
  block(number: number): Promise<Block>;
  stop(): Promise<void>;
}

const MNEMONIC = "test test test test test test test test test test test junk";
const GWEI = 1_000_000_000n;

export async function startChain({ chainId = 31_337, args = [] as string[] } = {}): Promise<Chain> {
  const anvil = await startAnvil({ chainId, args: [...args, "--order", "fifo"] });
  const request = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(anvil.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const answer = (await response.json()) as { result?: unknown; error?: unknown };
    assert.equal(answer.error, undefined, `${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  };
  return {
    chainId,
    accounts: Array.from({ length: 10 }, (_, addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex })),
    request,
    async block(number) {
      const tag = `0x${number.toString(16)}`;
      const raw = await request("eth_getBlockByNumber", tag, true);
      return parseBlock(raw, await request("eth_getBlockReceipts", tag), { endpoint: "anvil", number });
    },
    stop: anvil.stop,
  };
}

/** Emits a log of three topics (one is the first word of the input), one of none and one of four. */
const EMITTER = deploying("60003580600052336077604060 00a3 6005601ba0 6004600360026001600060 00a4 00");

export interface BusyBlockOptions {
  /** Which of the transaction types the chain's fork has: 0 to this. */
  newestType: 0 | 1 | 2 | 3 | 4;
  /** Calls of a contract that emits three logs each. */
  calls: number;
}

/** Mines a block that has every type of transaction, creations, failures and logs. */
export async function mineBusyBlock(chain: Chain, { newestType, calls }: BusyBlockOptions): Promise<Block> {
  const { accounts, chainId, request } = chain;
  const [deployer] = accounts;
  assert.ok(deployer);
  const nonces = new Map<HDAccount, number>();
  const send = async (account: HDAccount, fields: Record<string, unknown>) => {
    const nonce = nonces.get(account) ?? 0;
    nonces.set(account, nonce + 1);
    const transaction = { chainId, nonce, gas: 200_000n, ...fields } as Parameters<
      HDAccount["signTransaction"]
    >[0];
    return await request("eth_sendRawTransaction", await account.signTransaction(transaction));
  };
  const legacy = { type: "legacy", gasPrice: 20n * GWEI };
  const feeMarket =
    newestType < 2 ? legacy : { type: "eip1559", maxFeePerGas: 30n * GWEI, maxPriorityFeePerGas: GWEI };

  await request("evm_setAutomine", false);
  const hash = await send(deployer, { ...legacy, data: EMITTER });
  await request("evm_mine");
  const deployed = (await request("eth_getTransactionReceipt", hash)) as { contractAddress: Hex };
  const emitter = deployed.contractAddress;

  const account = (index: number) => accounts[index % accounts.length] ?? deployer;
  await send(account(1), { ...legacy, to: account(2).address, value: 12_345n });
  // From before EIP-155: signed for no chain.
  await send(account(2), { ...legacy, chainId: undefined, to: account(3).address, value: 0n });
  await send(account(3), { ...legacy, data: EMITTER });
  await send(account(4), { ...feeMarket, data: "0xfe" });
  const accessList = [
    { address: emitter, storageKeys: [`0x${"01".repeat(32)}`, `0x${"00".repeat(32)}`] },
    { address: account(1).address, storageKeys: [] },
  ];
  const { gasPrice } = legacy;
  if (newestType >= 1)
    await send(account(5), { type: "eip2930", gasPrice, to: emitter, data: word(7), accessList });
  if (newestType >= 2) await send(account(6), { ...feeMarket, to: emitter, data: word(9), accessList });
  if (newestType >= 3) await sendBlobs(account(7), account(8).address, send);
  if (newestType >= 4) {
    // Signed by accounts whose own transactions come later in the block: the nonce is still what it was.
    const authorizationList = [
      await authorize(account(9), { contractAddress: emitter, chainId, nonce: 77 }),
      await authorize(account(1), { contractAddress: emitter, chainId: 0, nonce: 0 }),
    ];
    await send(account(8), { ...feeMarket, type: "eip7702", to: emitter, data: word(3), authorizationList });
  }
  for (let i = 0; i < calls; i += 1) {
    await send(account(i), {
      ...(i % 3 === 0 ? legacy : feeMarket),
      to: emitter,
      data: word(i % 20),
      value: 0n,
    });
  }
  await request("evm_mine");
  const block = await chain.block(2);
  // Anvil 1.7.1 keeps the blobs in a mined transaction, and in the root (foundry issue 15132).
  for (const transaction of block.transactions) if (transaction.type === 3) transaction.extra = null;
  return newestType >= 3 ? resealed(block) : block;
}

/** A blob of zeros commits to the point at infinity, and so does its proof: no KZG setup is needed. */
async function sendBlobs(
  account: HDAccount,
  to: Hex,
  send: (account: HDAccount, fields: Record<string, unknown>) => Promise<unknown>,
): Promise<void> {
  const infinity: Hex = `0xc0${"00".repeat(47)}`;
  const hash = createHash("sha256").update(infinity.slice(2), "hex").digest("hex");
  const versioned: Hex = `0x01${hash.slice(2)}`;
  const sidecar = { blob: `0x${"00".repeat(131_072)}`, commitment: infinity, proof: infinity };
  await send(account, {
    type: "eip4844",
    to,
    maxFeePerGas: 30n * GWEI,
    maxPriorityFeePerGas: 0n,
    maxFeePerBlobGas: 100n,
    blobVersionedHashes: [versioned, versioned],
    sidecars: [sidecar, sidecar],
  });
}

async function authorize(
  account: HDAccount,
  fields: { contractAddress: Hex; chainId: number; nonce: number },
): Promise<unknown> {
  assert.ok(account.signAuthorization);
  return await account.signAuthorization(fields);
}

function word(value: number): Hex {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

/** Code that creates a contract with this code. */
function deploying(spacedCode: string): Hex {
  const code = spacedCode.replaceAll(" ", "");
  const length = (code.length / 2).toString(16).padStart(2, "0");
  return `0x60${length}80600b6000396000f3${code}`;
}
