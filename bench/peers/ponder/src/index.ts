import { ponder } from "ponder:registry";
import { blocks, logs, transactions } from "ponder:schema";

// Events are objects of getters: what is wanted of them has to be named.

ponder.on("Every:block", async ({ event, context }) => {
  const { block } = event;
  await context.db.insert(blocks).values({
    number: block.number,
    hash: block.hash,
    parentHash: block.parentHash,
    timestamp: block.timestamp,
    miner: block.miner,
    gasLimit: block.gasLimit,
    gasUsed: block.gasUsed,
    baseFeePerGas: block.baseFeePerGas,
    extraData: block.extraData,
    logsBloom: block.logsBloom,
    stateRoot: block.stateRoot,
    transactionsRoot: block.transactionsRoot,
    receiptsRoot: block.receiptsRoot,
  });
});

const events = [
  "Transfer",
  "Approval",
  "Swap",
  "Sync",
  "TransferSingle",
  "TransferBatch",
  "Updated",
] as const;

for (const name of events) {
  ponder.on(`Any:${name}`, async ({ event, context }) => {
    const { block, log, transaction, transactionReceipt: receipt } = event;
    const [topic0, topic1, topic2, topic3] = log.topics;
    await context.db
      .insert(transactions)
      .values({
        hash: transaction.hash,
        blockNumber: block.number,
        transactionIndex: transaction.transactionIndex,
        type: transaction.type,
        from: transaction.from,
        to: transaction.to,
        nonce: transaction.nonce,
        value: transaction.value,
        gas: transaction.gas,
        input: transaction.input,
        r: transaction.r,
        s: transaction.s,
        v: transaction.v,
        status: receipt.status,
        gasUsed: receipt.gasUsed,
        cumulativeGasUsed: receipt.cumulativeGasUsed,
        effectiveGasPrice: receipt.effectiveGasPrice,
        contractAddress: receipt.contractAddress,
      })
      .onConflictDoNothing();
    await context.db.insert(logs).values({
      blockNumber: block.number,
      logIndex: log.logIndex,
      transactionHash: transaction.hash,
      address: log.address,
      topic0,
      topic1,
      topic2,
      topic3,
      data: log.data,
    });
  });
}
