// A chain that is followed and stored, and a feed that tells of it.

import type pg from "pg";
import { applyNext, openFeed } from "../../src/feed/apply-next.js";
import { type FollowerScene, followerOf, type Worker, type World, workerOf } from "../orchestrator/scene.js";
import { type ScriptedChain, scriptChain } from "../orchestrator/scripted-chain.js";

export interface FeedScene {
  chain: ScriptedChain;
  worker: Worker;
  follow: FollowerScene["follow"];
  /** Follows the head, stores what it asks for, and tells readers. */
  catchUp(): Promise<void>;
  /** The steps behind one: "apply 3", "revert 3", "derive NAME 3 5". */
  steps(after?: number): Promise<string[]>;
  /** The same for a reader, who advances as far as it read. */
  read(reader: string, most?: number): Promise<string[]>;
}

export interface Step {
  id: string;
  kind: string;
  number: string | null;
  decoder: string | null;
  from_block: string | null;
  to_block: string | null;
}

/** Blocks 0 to `head` are stored; the feed is on from block `from`, unless that is undefined. */
export async function feedScene(
  world: World,
  { head = 6, from, isStored = true }: { head?: number; from?: number | null; isStored?: boolean } = {},
): Promise<FeedScene> {
  await world.pool.query("select stop_feed()");
  const chain = scriptChain({ head, transactions: 2 });
  const { follow } = followerOf(world, chain);
  const worker = workerOf(world, chain);
  if (isStored) {
    await follow();
    await worker.finish();
  }
  if (from !== undefined) await openFeed(world.pool, from);
  const tell = async () => {
    while ((await applyNext(world.pool, 100)).heights > 0);
  };
  await tell();
  return {
    chain,
    worker,
    follow,
    async catchUp() {
      await follow();
      await worker.finish();
      await tell();
    },
    async steps(after = 0) {
      const rows = await world.rows<Step>("select * from chain_changes where id > $1 order by id", [after]);
      return rows.map(said);
    },
    async read(reader, most = 100) {
      const steps = await readAs(world.pool, reader, most);
      return steps.map(said);
    },
  };
}

/** Reads, and advances as far as it read, in one transaction. */
export async function readAs(pool: pg.Pool, reader: string, most: number): Promise<Step[]> {
  const client = await pool.connect();
  try {
    await client.query("begin isolation level repeatable read");
    const { rows } = await client.query<Step>("select * from read_changes($1, $2)", [reader, most]);
    const last = rows.at(-1);
    if (last !== undefined) await client.query("select advance_reader($1, $2)", [reader, last.id]);
    await client.query("commit");
    return rows;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

function said({ kind, number, decoder, from_block, to_block }: Step): string {
  return kind === "derive" ? `derive ${decoder} ${from_block} ${to_block}` : `${kind} ${number}`;
}
