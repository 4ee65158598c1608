import { ponder } from "ponder:registry";
import { blocks, logs, transactions } from "ponder:schema";

ponder.on("Every:block", async ({ event, context }) => {
  const { block } = event;
  await context.db.insert(blocks).values({ ...block });
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
    const at = { blockNumber: block.number, transactionHash: transaction.hash };
    await context.db
      .insert(transactions)
      .values({ ...transaction, ...receipt, type: transaction.type, blockNumber: block.number })
      .onConflictDoNothing();
    await context.db
      .insert(logs)
      .values({
        ...at,
        logIndex: log.logIndex,
        address: log.address,
        topic0,
        topic1,
        topic2,
        topic3,
        data: log.data,
      });
  });
}
