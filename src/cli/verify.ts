import type { Command } from "commander";
import type pg from "pg";
import type { BlockSpan } from "../block.js";
import type { VerifyLevel } from "../chain/verify/verify-block.js";
import { dependents } from "../pipeline/dependents.js";
import { removeStrays, repairStored } from "../pipeline/repair-stored.js";
import { planVerification } from "../pipeline/verify-stored.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { blockNumber, blockSpan, wholeNumber } from "./arguments.js";
import { noteOrTell } from "./note-upkeep.js";
import { type ProgressReport, showProgress } from "./progress.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createReport } from "./verify-report.js";

export function addVerify(program: Command): void {
  program
    .command("verify")
    .description("prove what is stored, from the database's rows alone")
    .argument("[from]", "the first block (default: everything that is stored)", blockNumber)
    .argument("[to]", "the last block, included (default: the first)", blockNumber)
    .option("--repair", "enqueue again what is wrong or missing")
    .option("--sample <n>", "only so many blocks, drawn at random", wholeNumber({ min: 1, max: 1_000_000 }))
    .option("--no-senders", "do not recover who signed each transaction, which takes most of the time")
    .option("--json", "print JSON, an object a line: each finding, then the summary")
    .addHelpText(
      "after",
      `
Rebuilds each block from its rows and recomputes its hash, its roots, every transaction's hash and
sender, the token transfers, and the digest of all its rows, which shows any byte that changed since they
were written. Finds parents that do not match, rows without a block, and blocks that are missing: without
FROM those that the queue says are stored (others: blockmill gaps), with FROM each one that is not stored.
No endpoint is asked. It reads consistent snapshots, so daemons may go on meanwhile. Ctrl-C ends it after the blocks in hand.

proven:   every check of Ethereum's rules holds, but for those that the chain's own rules leave out. The hash,
          transactionsRoot and receiptsRoot hold in any case.
unproven: the rows are those that were written, but one of these does not hold, and neither chain.verify
          nor the chain's rules demand it, nor was it proven when the block was stored (blocks.verified).
wrong:    rows contradict each other, the digest, chain.verify, or what was proven when it was stored.

--repair gives what is wrong or missing a job again. The rows of a wrong block stay until that job replaces
them; rows without a block are removed. An unproven block would come again as it is.

Exit code 0: nothing is wrong or missing. 1: something is. 130: it was interrupted, and nothing was
wrong so far.

Examples:
  blockmill verify -c mainnet.json
  blockmill verify 1000000 1001000 --repair
  blockmill verify --sample 1000 --json         every night, say`,
    )
    .action(run(verify));
}

interface VerifyOptions {
  repair?: boolean;
  sample?: number;
  senders: boolean;
  json?: boolean;
}

async function verify(
  session: Session,
  options: VerifyOptions,
  from: number | undefined,
  last: number | undefined,
): Promise<number> {
  const span = from === undefined ? null : blockSpan(from, last);
  const level = session.config.chain.verify as VerifyLevel;
  return withDatabase(session, (pool) => verifySpan(pool, span, { ...options, level }));
}

async function verifySpan(
  pool: pg.Pool,
  span: BlockSpan | null,
  { repair = false, sample, senders, json = false, level }: VerifyOptions & { level: VerifyLevel },
): Promise<number> {
  const started = performance.now();
  const { signal, forgetSignals } = abortOnSignals();
  const plan = await planVerification({ pool, span, sample, level, recoverSenders: senders, signal });
  const report = createReport({ json, repair });
  const progress = showProgress(process.stderr, { label: "verify", total: Math.max(1, plan.total) });
  const door = { pool, dependents };
  let requeued = 0;
  if (repair && plan.strays.length > 0) await removeStrays(door);
  try {
    for await (const batch of plan.run()) {
      report.add(batch);
      if (repair) requeued += await repairStored(door, batch.findings);
      progress.show(progressOf({ done: batch.done, total: plan.total, started, wrong: report.wrong() }));
    }
  } finally {
    progress.end();
    forgetSignals();
  }
  if (!signal.aborted && plan.total > 0) await noteOrTell(pool, "verification");
  return report.end({ ...plan, requeued, interrupted: signal.aborted, ms: performance.now() - started });
}

function progressOf({
  done,
  total,
  started,
  wrong,
}: {
  done: number;
  total: number;
  started: number;
  wrong: number;
}): ProgressReport {
  const perSecond = (done * 1_000) / Math.max(1, performance.now() - started);
  return { done, perSecond, secondsLeft: perSecond > 0 ? (total - done) / perSecond : null, failed: wrong };
}
