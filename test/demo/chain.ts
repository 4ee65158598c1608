// The demo's chain: anvil, tokens on it, and somebody who keeps using them. It mines when it is told to,
// so that the demo knows to the millisecond since when a block is there.

import { createTestClient, encodeDeployData, getContractAddress, type Hex, http, publicActions } from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import { startAnvil } from "../support/anvil.js";
import { coin, crate, deed } from "./contracts.js";
import { type Tokens, type TransactionRequest, trafficOf } from "./traffic.js";

export interface DemoChain {
  url: string;
  chainId: number;
  /** The newest block. */
  head(): number;
  /** Sends a handful of transactions and mines them. Returns the block's number, and when it was there. */
  mine(): Promise<MinedBlock>;
  stop(): Promise<void>;
}

export interface MinedBlock {
  number: number;
  /** Milliseconds since 1970. */
  appearedAt: number;
}

// The accounts that anvil unlocks; everybody knows this phrase.
const mnemonic = "test test test test test test test test test test test junk";
const accountCount = 16;

/** Starts the chain. Block 1 deploys the tokens; each block after it has a handful of transactions. */
export async function startDemoChain(): Promise<DemoChain> {
  const anvil = await startAnvil({
    args: ["--no-mining", "--order", "fifo", "--accounts", String(accountCount)],
  });
  const accounts = Array.from({ length: accountCount }, (_, addressIndex) =>
    mnemonicToAccount(mnemonic, { addressIndex }),
  );
  // One HTTP request for all transactions of a block. No retries: a refused transaction is a defect.
  const client = createTestClient({
    mode: "anvil",
    transport: http(anvil.url, { batch: { wait: 0 }, retryCount: 0 }),
  }).extend(publicActions);
  let head = 0;

  const send = (request: TransactionRequest) =>
    client.request({ method: "eth_sendTransaction", params: [request as never] } as never);

  const mineThese = async (requests: TransactionRequest[]): Promise<MinedBlock> => {
    await Promise.all(requests.map(send));
    await client.mine({ blocks: 1 });
    head += 1;
    return { number: head, appearedAt: Date.now() };
  };

  let tokens: Tokens | undefined;
  return {
    url: anvil.url,
    chainId: 31_337,
    head: () => head,
    async mine() {
      if (tokens !== undefined) return mineThese(await trafficOf(head + 1, { tokens, accounts }));
      const deployment = deploymentBy(accounts);
      tokens = deployment.tokens;
      return mineThese(deployment.requests);
    },
    stop: anvil.stop,
  };
}

/** Three accounts that have sent nothing yet deploy one token each. */
function deploymentBy(accounts: HDAccount[]): { tokens: Tokens; requests: TransactionRequest[] } {
  const holders = accounts.map(({ address }) => address);
  const codes: Hex[] = [encodeDeployData({ ...coin, args: [holders] }), deed.bytecode, crate.bytecode];
  const created = codes.map((data, i) => {
    const from = accounts[i]?.address ?? "0x";
    return {
      request: { from, data, gas: "0x2dc6c0" as const },
      at: getContractAddress({ from, nonce: 0n }),
    };
  });
  const [coinAt = "0x", deedAt = "0x", crateAt = "0x"] = created.map(({ at }) => at);
  return {
    tokens: { coin: coinAt, deed: deedAt, crate: crateAt },
    requests: created.map(({ request }) => request),
  };
}
