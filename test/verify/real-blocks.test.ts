import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor } from "../../src/chain/verify/chain-rules.js";
import { createVerifier } from "../../src/chain/verify/verify-block.js";
import { type BusyBlockOptions, mineBusyBlock, startChain } from "./anvil-chain.js";

const ALL_CHECKS = [
  "indexes",
  "gas",
  "logsBloom",
  "hash",
  "uncles",
  "transactionHashes",
  "transactionsRoot",
  "receiptsRoot",
  "withdrawalsRoot",
  "blobGas",
  "prices",
  "contractAddresses",
  "senders",
];

const FORKS: { fork: string; newestType: BusyBlockOptions["newestType"]; headerFields: number }[] = [
  { fork: "byzantium", newestType: 0, headerFields: 15 },
  { fork: "berlin", newestType: 1, headerFields: 15 },
  { fork: "london", newestType: 2, headerFields: 16 },
  { fork: "paris", newestType: 2, headerFields: 16 },
  { fork: "shanghai", newestType: 2, headerFields: 17 },
  { fork: "cancun", newestType: 3, headerFields: 20 },
  { fork: "prague", newestType: 4, headerFields: 21 },
];

for (const { fork, newestType, headerFields } of FORKS) {
  test(`a block of ${fork} with every type of transaction is proven`, async (t) => {
    const chain = await startChain({ args: ["--hardfork", fork] });
    t.after(chain.stop);
    const block = await mineBusyBlock(chain, { newestType, calls: 140 });

    const types = new Set(block.transactions.map(({ type }) => type));
    assert.deepEqual([...types].sort(), [0, 1, 2, 3, 4].slice(0, newestType + 1));
    assert.ok(
      block.transactions.length > 140 && block.transactions.some(({ receipt }) => receipt.status === 0),
    );
    const { baseFeePerGas, withdrawalsRoot, excessBlobGas, parentBeaconBlockRoot, requestsHash } =
      block.header;
    const { blobGasUsed } = block.header;
    const optional = [
      baseFeePerGas,
      withdrawalsRoot,
      blobGasUsed,
      excessBlobGas,
      parentBeaconBlockRoot,
      requestsHash,
    ];
    assert.equal(15 + optional.filter((field) => field !== null).length, headerFields);

    const verifier = createVerifier();
    const options = { rules: rulesFor(31_337), endpoint: "anvil" };
    const proven = verifier.verifyBlock(block, { ...options, level: "roots", recoverSenders: true });
    const later = ["withdrawalsRoot", "blobGas"].slice(headerFields >= 20 ? 2 : headerFields >= 17 ? 1 : 0);
    const had = ALL_CHECKS.filter((check) => !later.includes(check));
    assert.deepEqual(proven, had);
    assert.deepEqual(verifier.verifyBlock(block, { ...options, level: "bloom" }), ALL_CHECKS.slice(0, 3));
    assert.deepEqual(verifier.verifyBlock(block, { ...options, level: "off" }), []);
  });
}

test("a block without transactions is proven", async (t) => {
  const chain = await startChain();
  t.after(chain.stop);
  await chain.request("evm_mine");
  const options = { rules: rulesFor(31_337), endpoint: "anvil", level: "roots" } as const;
  assert.deepEqual(createVerifier().verifyBlock(await chain.block(1), options), ALL_CHECKS.slice(0, -1));
});

test("a block with a deposit of the OP stack is proven", async (t) => {
  const chain = await startChain({ chainId: 8453, args: ["--network", "optimism"] });
  t.after(chain.stop);
  const [from, to] = chain.accounts;
  await chain.request("evm_setAutomine", false);
  await chain.request("eth_sendTransaction", {
    from: from?.address,
    to: to?.address,
    value: "0x1",
    gas: "0x10000",
    type: "0x7e",
    sourceHash: `0x${"11".repeat(32)}`,
    mint: "0x5",
    isSystemTx: false,
  });
  await chain.request("evm_mine");
  const block = await chain.block(1);
  assert.equal(block.transactions[0]?.type, 0x7e);
  assert.equal(block.transactions[0]?.receipt.extra?.depositReceiptVersion, "0x1");

  const options = { rules: rulesFor(8453), endpoint: "anvil", level: "roots" } as const;
  const proven = createVerifier().verifyBlock(block, options);
  for (const check of ["hash", "transactionHashes", "transactionsRoot", "receiptsRoot"] as const) {
    assert.ok(proven.includes(check), check);
  }
});
