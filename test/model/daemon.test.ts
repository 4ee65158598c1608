// Random scripts of heads, reorgs, endpoint faults and kill -9, played on the real daemon: its processes,
// its sockets, its database. At rest the tables hold exactly what the fixture says is canonical.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { type Scene, setScene } from "../reorg/scene.js";
import type { Daemon } from "../support/daemon.js";
import { waitFor } from "../support/process.js";
import { extentOf } from "./seed.js";

type Step =
  | { do: "mine"; blocks: number }
  | { do: "reorg"; depth: number; length: number }
  | { do: "switch back"; to: number }
  | { do: "fault"; endpoint: number; fault: Fault }
  | { do: "heal" }
  | { do: "kill"; who: "worker" | "orchestrator" | "everything" }
  | { do: "pause"; ms: number };

type Fault = "lags" | "is down" | "is slow" | "refuses" | "lies" | "loses logs" | "forgets";

const small = (max: number, min = 0) => fc.integer({ min, max });
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("mine" as const), blocks: small(4, 1) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("reorg" as const), depth: small(10, 1), length: small(12, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("switch back" as const), to: small(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("fault" as const),
      endpoint: small(1),
      fault: fc.constantFrom<Fault[]>(
        "lags",
        "is down",
        "is slow",
        "refuses",
        "lies",
        "loses logs",
        "forgets",
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("kill" as const),
      who: fc.constantFrom(
        "worker" as const,
        "worker" as const,
        "orchestrator" as const,
        "everything" as const,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pause" as const), ms: small(250, 20) }) },
);

const config = {
  pipeline: { max_attempts: 1_000, hung_seconds: 60 },
  chain: { max_reorg_depth: 1_000 },
};

interface Play {
  scene: Scene;
  daemon: Daemon;
  branches: string[];
  lies: number;
}

test("whatever happens to the daemon, the tables end up as the canonical chain", {
  timeout: 840_000,
}, async (t) => {
  const { seed, scripts } = extentOf({ scripts: 6 });
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed} BLOCKMILL_TEST_SCRIPTS=${scripts}`);
  const scene = await setScene(t, { node: { head: 20, ports: 2, transactions: 3, finalityDepth: 200 } });
  // One daemon lives through all scripts; each begins where the last one came to rest.
  const play: Play = { scene, daemon: await scene.start(config), branches: ["main"], lies: 0 };
  await scene.settled();
  await fc.assert(
    fc.asyncProperty(fc.array(stepOf, { minLength: 8, maxLength: 16 }), async (steps) => {
      try {
        for (const step of steps) await take(play, step);
        await comeToRest(play);
      } catch (error) {
        throw new Error(`${steps.map((step) => JSON.stringify(step)).join("\n")}\n${String(error)}`, {
          cause: error,
        });
      }
    }),
    // What a daemon did in the time that it had cannot be shrunk.
    { seed, numRuns: scripts, endOnFailure: true },
  );
});

async function take(play: Play, step: Step): Promise<void> {
  const { scene, daemon } = play;
  const { node } = scene;
  switch (step.do) {
    case "mine":
      await node.mine(step.blocks);
      return;
    case "reorg":
      play.branches.push((await node.reorg({ depth: step.depth, length: step.length })).branch);
      return;
    case "switch back":
      await node.switchTo(play.branches.at(-1 - step.to) ?? "main");
      return;
    case "fault":
      await fail(play, step.fault, step.endpoint);
      return;
    case "heal":
      await node.clearFaults();
      return;
    case "kill":
      if (step.who === "everything") {
        for (const pid of daemon.pids()) process.kill(pid, "SIGKILL");
        await daemon.program.exit;
        play.daemon = await scene.start(config);
      } else {
        const victim = daemon.children().find(({ role }) => role === step.who);
        if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
      }
      return;
    case "pause":
      await sleep(step.ms);
      return;
  }
}

async function fail({ scene: { node }, ...play }: Play, fault: Fault, endpoint: number): Promise<void> {
  // The other endpoint stays honest: two that say the same thing are believed.
  await node.clearFaults(1 - endpoint);
  switch (fault) {
    case "lags":
      return node.setFaults({ headLag: 4 }, endpoint);
    case "is down":
      return node.setFaults({ down: "refused" }, endpoint);
    case "is slow":
      return node.setFaults({ latencyMs: 60, jitterMs: 60 }, endpoint);
    case "refuses":
      return node.setFaults({ rateLimit: { perSecond: 20, answer: 429 } }, endpoint);
    case "forgets":
      return node.setFaults({ forgetsOrphans: true }, endpoint);
    case "loses logs":
      return node.mutate(
        { kind: "drop-log", method: "eth_getBlockReceipts", hidden: true, count: 3 },
        endpoint,
      );
    case "lies": {
      const branch = `lie-${Date.now()}-${play.branches.length}`;
      await node.fork({ branch, depth: 5, length: 9 });
      return node.setFaults({ branch }, endpoint);
    }
  }
}

async function comeToRest({ scene }: Play): Promise<void> {
  const { node, pool } = scene;
  await node.clearFaults();
  // An endpoint that lied rests; a head below the final one would be taken for a lagging node's.
  await node.mine(1);
  await scene.settled();
  const { number } = await node.head();
  const { rows: held } = await pool.query("select from processing_jobs where status = 'processing'");
  assert.equal(held.length, 0);
  const { rows: counted } = await pool.query<{ done: string }>(
    `select count(*) as done from (
       select block_number from processing_jobs where status = 'completed' and block_number <= $1
       union all
       select n from processing_coverage, unnest(blocks) as span, generate_series(lower(span), upper(span) - 1) as n
     ) as every`,
    [number],
  );
  assert.equal(Number(counted[0]?.done), number + 1, "jobs and coverage together, each block once");
  // Others are of what happened within the last minutes, and stay open for these.
  const ofNow = "kind in ('reorg_too_deep', 'false_head', 'lock_wait', 'old_transaction', 'endpoints_down')";
  await waitFor(
    async () =>
      (await pool.query(`select from alerts where cleared_at is null and ${ofNow}`)).rows.length === 0,
    { what: "no alert of what is so now to be open" },
  );
}
