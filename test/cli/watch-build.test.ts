import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import type { IndexReport } from "../../src/cli/index-progress.js";
import { type Account, createAccount, watchBuild } from "../../src/cli/watch-build.js";
import type { IndexState, Leaf } from "../../src/store/index-states.js";
import type { ReaderIndex } from "../../src/store/reader-indexes.js";

const leaf = (name: string, bytes: number): Leaf => ({ name, sql: name, bytes });
const [small, large] = [leaf("logs_0", 100), leaf("logs_10", 300)];
const index = { name: "logs_topic1" } as ReaderIndex;

/** The account of an index that is open on leaves, and what it shows. */
function account(leaves: Leaf[]) {
  const shown: IndexReport[] = [];
  const states = [{ open: leaves.map((each) => ({ leaf: each })) }] as IndexState[];
  const keeps = createAccount(states, { show: (report) => void shown.push(report), end() {} });
  return { keeps, shown, last: () => shown.at(-1) };
}

test("what is done counts by the size of what is read for it", () => {
  const { keeps, last } = account([small, large]);
  keeps.name(index);
  keeps.onLeaf(small, "begun");
  assert.deepEqual([last()?.what, last()?.phase, last()?.done], ["logs_topic1 on logs_0", "begins", 0]);
  keeps.tell("scanning", 0.5);
  assert.equal(last()?.done, 50 / 400);
  keeps.onLeaf(small, "done");
  keeps.onLeaf(large, "begun");
  keeps.tell("scanning", 0.5);
  assert.equal(last()?.done, 250 / 400);
  assert.equal(typeof last()?.secondsLeft, "number");
});

test("nothing is shown before anything is named; of empty tables nothing is done and no time is left to tell", () => {
  const { keeps, shown, last } = account([]);
  keeps.tell("scanning", 1);
  assert.deepEqual(shown, []);
  keeps.name(index);
  keeps.tell("scanning", 1);
  assert.deepEqual([last()?.done, last()?.secondsLeft], [0, null]);
});

test("a wait for a lock is told as one", () => {
  const { keeps, last } = account([small]);
  keeps.name(index);
  keeps.onWait();
  assert.equal(last()?.phase, "waits for a transaction that uses the table");
});

const row = { locker: 0, lockers: 0, lockers_done: 0, blocks: 0, blocks_done: 0, tuples: 0, tuples_done: 0 };

/** Watches until `phases` were told, by a pool that is asked `ask`. */
async function watch(ask: (text: string) => unknown[], told: number, signal = new AbortController().signal) {
  const over = new AbortController();
  const phases: string[] = [];
  const asked: string[] = [];
  const pool = {
    async query(text: string) {
      asked.push(text);
      return { rows: ask(text) };
    },
  } as unknown as pg.Pool;
  const account = {
    tell(phase: string) {
      phases.push(phase);
      if (phases.length === told) over.abort();
    },
  } as unknown as Account;
  await watchBuild(pool, { pid: 7, account, signal, over: over.signal });
  return { phases, cancels: asked.filter((text) => text.includes("pg_cancel_backend")).length };
}

test("a build is looked at again and again until it is over, and whom it waits for is named", async () => {
  let looks = 0;
  const { phases, cancels } = await watch(() => {
    looks += 1;
    // At first it builds nothing, then the database is away for a moment.
    if (looks === 1) return [];
    if (looks === 2) throw new Error("Connection terminated");
    const waits = looks === 4 ? { phase: "waiting for old snapshots", locker: 42, lockers: 1 } : {};
    return [{ ...row, phase: "building index", ...waits }];
  }, 2);
  assert.deepEqual(phases, ["building index", "waiting for old snapshots (process 42)"]);
  assert.equal(cancels, 0);
});

test("when somebody asks for the end, its statement is cancelled at each look until it is over", async () => {
  const { cancels } = await watch(() => [{ ...row, phase: "building index" }], 2, AbortSignal.abort());
  assert.equal(cancels, 2);
});
