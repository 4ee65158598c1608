// The readers of examples/feed, followed through reorgs and killed at any moment, against the chain's tables.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { useWorld } from "../orchestrator/scene.js";
import { projectRoot } from "../support/project.js";
import { feedScene } from "./scene.js";

const world = useWorld();
const examples = `${projectRoot}examples/feed/`;

async function end(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; errors: string }> {
  let errors = "";
  child.stderr?.on("data", (text) => {
    errors += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, errors };
}

const hasPsql = await end(spawn("psql", ["--version"], { stdio: ["ignore", "ignore", "pipe"] })).then(
  ({ code }) => code === 0,
  () => false,
);

interface Example {
  reader: string;
  start(): ChildProcess;
  /** What it keeps, less what the tables say, and the other way round: rows that differ. */
  differs: string;
  /** That there is something to compare. */
  holds: string;
}

const both = (kept: string, said: string) =>
  `((${kept}) except (${said})) union all ((${said}) except (${kept}))`;

const readers: Record<string, Example | null> = {
  "sent.ts": {
    reader: "sent",
    start: () =>
      spawn(process.execPath, [`${examples}sent.ts`, world.url, "--once"], {
        stdio: ["ignore", "ignore", "pipe"],
      }),
    differs: both(
      "select sender, transactions, value from sent",
      "select from_address, count(*), sum(value) from transactions group by 1",
    ),
    holds: "sent",
  },
  "balances.sql": hasPsql
    ? {
        reader: "balances",
        start: () =>
          spawn("psql", [world.url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", `${examples}balances.sql`], {
            stdio: ["ignore", "ignore", "pipe"],
          }),
        differs: both(
          "select token, holder, balance from balances",
          `select token_address, holder, sum(amount) from (
             select token_address, from_address as holder, -value as amount from token_transfers where standard = 'erc20'
             union all select token_address, to_address, value from token_transfers where standard = 'erc20'
           ) as moved group by 1, 2 having sum(amount) <> 0`,
        ),
        holds: "balances",
      }
    : null,
};

for (const [name, example] of Object.entries(readers)) {
  const skip = example === null ? `examples/feed/${name}: there is no psql here` : false;
  test(`examples/feed/${name} has what the chain says, through reorgs and kills`, { skip }, async () => {
    if (example === null) return;
    const { chain, catchUp } = await feedScene(world, { head: 8, from: 0 });
    await world.pool.query("select start_reader($1, 0)", [example.reader]);
    const isBehind = async () =>
      (await world.rows("select from chain_readers, chain_feed where position < last_id")).length > 0;
    for (let round = 0; round < 4; round += 1) {
      // Killed as soon as its session holds its reader's row, or a little before or behind that.
      const killed = example.start();
      const ended = end(killed);
      for (let looks = 0; looks < 200 && killed.exitCode === null; looks += 1) {
        const busy = await world.rows(
          "select from pg_stat_activity where query ~ 'read_changes' and pid <> pg_backend_pid() and state <> 'idle'",
        );
        if (busy.length > 0) break;
      }
      killed.kill("SIGKILL");
      await ended;
      chain.canonical.reorg({ depth: 2 + round, length: 4 + round });
      await catchUp();
      if (round % 2 === 1) continue;
      while (await isBehind()) {
        const { code, errors } = await end(example.start());
        assert.equal(code, 0, errors);
      }
      assert.deepEqual(await world.rows(example.differs), []);
    }
    while (await isBehind()) {
      const { code, errors } = await end(example.start());
      assert.equal(code, 0, errors);
    }
    assert.deepEqual(await world.rows(example.differs), []);
    assert.notDeepEqual(await world.rows(`select from ${example.holds} limit 1`), []);
  });
}
