// A world whose rows have totals, a derived table and told steps made of them (made-dependents.ts), and what is done to it
// from beside the queue.

import { beforeEach } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { repairStored } from "../../src/pipeline/repair-stored.js";
import { planVerification } from "../../src/pipeline/verify-stored.js";
import { lockCoverage } from "../../src/queue/lock-coverage.js";
import { archiveAll, followerOf, useWorld, type World, workerOf } from "../orchestrator/scene.js";
import { type ScriptedChain, scriptChain } from "../orchestrator/scripted-chain.js";
import { assertRecomputed, fold, made, makeTables, toldSteps } from "./made-dependents.js";

export interface DoorWorld {
  /** For somebody who has these dependents; without them, the program's own: none. */
  with(dependents: World["dependents"]): World;
  /** For somebody who goes through the door, and has all that is made. */
  readonly world: World;
}

/** A database with what is made of its rows, empty at the start of each test. Call once at the top of the file. */
export function useDoorWorld(): DoorWorld {
  const plain = useWorld();
  beforeEach(() => makeTables(plain.pool));
  const withThose = (those: World["dependents"]): World => withDependents(plain, those);
  return { with: withThose, world: withThose(made) };
}

function withDependents(of: World, those: World["dependents"]): World {
  return Object.create(of, { dependents: { value: those } }) as World;
}

/** `verify --repair`. Returns how much it found. */
export async function repair({ pool, dependents }: World): Promise<number> {
  let findings = 0;
  const plan = await planVerification({ pool, span: null, level: "roots", recoverSenders: false });
  for await (const batch of plan.run()) {
    findings += batch.findings.length;
    await repairStored({ pool, dependents }, batch.findings);
  }
  return findings;
}

export type Damage = "a value" | "logs" | "the block's row" | "every row" | "the digest";

/** Changes rows as a person may in psql, who holds off everybody else. Returns whether anything changed. */
export async function damage(world: World, what: Damage, number: number): Promise<boolean> {
  const statements: Record<Damage, string[]> = {
    "a value": ["update transactions set value = value + 1 where block_number = $1"],
    logs: ["delete from logs where block_number = $1"],
    "the block's row": ["delete from blocks where number = $1"],
    "every row": ["transactions", "logs", "withdrawals", "token_transfers"]
      .map((table) => `delete from ${table} where block_number = $1`)
      .concat("delete from blocks where number = $1"),
    "the digest": ["update blocks set digest = null where number = $1"],
  };
  return inTransaction(world.pool, async (tx) => {
    await lockCoverage(tx);
    let changed = 0;
    for (const statement of statements[what]) changed += (await tx.query(statement, [number])).rowCount ?? 0;
    return changed > 0;
  });
}

export interface CountedScene {
  chain: ScriptedChain;
  wanted: Record<string, unknown>;
  /** What readers were told since then. */
  told(): Promise<string[]>;
}

/** Blocks 0 to the head are stored, archived, summed and told; some were damaged before they were counted. */
export async function countedScene(
  world: World,
  {
    head = 12,
    damaged,
    isUncounted = false,
  }: {
    head?: number;
    damaged?: [Damage, number];
    isUncounted?: boolean;
  } = {},
): Promise<CountedScene> {
  const chain = scriptChain({ head, transactions: 2 });
  const wanted = { "chain.max_reorg_depth": 1_000 };
  await followerOf(world, chain, wanted).follow();
  await workerOf(world, chain, "first").finish();
  await archiveAll(world);
  if (damaged !== undefined) await damage(world, ...damaged);
  while (!isUncounted && (await fold(world.pool, 100)));
  await assertRecomputed(world.pool);
  const before = (await toldSteps(world.pool)).length;
  const told = async () =>
    (await toldSteps(world.pool)).slice(before).map(({ kind, number }) => `${kind} ${number}`);
  return { chain, wanted, told };
}
