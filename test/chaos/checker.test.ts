// The checker can fail: each kind of damage is done to what a real daemon stored, and is told by its name.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { Ledger, type Verdict } from "./ledger.js";
import { comeToRest } from "./suite.js";
import { watchInvariants } from "./watch.js";
import { World } from "./world.js";

let world: World;
let ledger: Ledger;

before(async () => {
  world = await World.create({
    seed: 7,
    history: 60,
    historyPerSecond: 1_000,
    leaseSeconds: 1.5,
    say: () => {},
  });
  ledger = new Ledger(world);
  await world.startMain();
  world.load.start();
  await comeToRest(world, ledger);
  while (world.load.asked.history < 60) {
    world.load.start();
    await comeToRest(world, ledger);
  }
  await world.host.stop();
});

after(() => world.close());

const clean = { lost: [], doubled: [], wrong: [] };

async function verdict(): Promise<Pick<Verdict, "lost" | "doubled" | "wrong">> {
  const { lost, doubled, wrong } = await ledger.check(world.load.asked, { isFull: true });
  return { lost, doubled, wrong };
}

/** Runs statements under a name, in one session, which is how a worker would be seen. */
async function as(name: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: world.adminUrl, application_name: name });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Damages, looks, and puts everything back by undoing the damage. */
async function damaged(
  damage: string[],
  repair: string[],
): Promise<Pick<Verdict, "lost" | "doubled" | "wrong">> {
  // Damage that no trigger sees: as if the program had been wrong from the start.
  await as("damage", "set session_replication_role = replica", ...damage);
  const found = await verdict();
  await as("repair", "set session_replication_role = replica", ...repair);
  return found;
}

test("what a daemon stored without any fault is in order", async () => {
  assert.deepEqual(await verdict(), clean);
});

test("a block that is not stored, though its job is complete, is lost", async () => {
  const tables = ["blocks", "transactions", "logs", "withdrawals", "token_transfers"];
  const column = (table: string) => (table === "blocks" ? "number" : "block_number");
  const found = await damaged(
    tables.flatMap((table) => [
      `create table kept_${table} as select * from ${table} where ${column(table)} = 7`,
      `delete from ${table} where ${column(table)} = 7`,
    ]),
    tables.flatMap((table) => [
      `insert into ${table} select * from kept_${table}`,
      `drop table kept_${table}`,
    ]),
  );
  assert.deepEqual(found, { ...clean, lost: [{ block: 7, what: "is not stored" }] });
  assert.deepEqual(await verdict(), clean);
});

test("a block that nobody knows to be done, or whose job is open, is lost", async () => {
  const found = await damaged(
    [
      "create table kept_jobs as select * from processing_jobs where block_number = 8",
      "create table kept_coverage as select * from processing_coverage",
      "delete from processing_jobs where block_number = 8",
      "update processing_coverage set blocks = blocks - '{[8,9)}'::int8multirange",
    ],
    [
      "insert into processing_jobs (block_number, status, completed_at) select 8, 'failed', null",
      "update processing_coverage set blocks = (select blocks from kept_coverage)",
    ],
  );
  assert.deepEqual(found.lost, [{ block: 8, what: "has no job, and is not in the coverage" }]);
  const open = await verdict();
  assert.deepEqual(open.lost, [{ block: 8, what: "has a job that is failed" }]);
  await as(
    "repair",
    "set session_replication_role = replica",
    "delete from processing_jobs where block_number = 8",
    `insert into processing_jobs (block_number, status, completed_at, worker_id, started_at)
     select block_number, status, completed_at, worker_id, started_at from kept_jobs`,
    "drop table kept_jobs",
    "drop table kept_coverage",
  );
  assert.deepEqual(await verdict(), clean);
});

for (const [what, damage, repair] of [
  [
    "a value that differs",
    "update transactions set value = value + 1 where block_number = 9",
    "update transactions set value = value - 1 where block_number = 9",
  ],
  [
    "an amount of a withdrawal that differs",
    "update withdrawals set amount = amount + 1 where block_number = 9",
    "update withdrawals set amount = amount - 1 where block_number = 9",
  ],
  [
    "a header that differs",
    "update blocks set gas_used = gas_used + 1 where number = 9",
    "update blocks set gas_used = gas_used - 1 where number = 9",
  ],
] as const) {
  test(`${what} is wrong`, async () => {
    const found = await damaged([damage], [repair]);
    const [{ detail = "", ...wrong } = assert.fail(), ...others] = found.wrong;
    assert.deepEqual(
      [wrong, others],
      [{ block: 9, what: "has rows that are not the canonical block's" }, []],
    );
    assert.match(
      detail,
      /^expected 0x\w{64} .*; wrong when looked at again; stored 0x\w{64}; job .*effects: /,
    );
    assert.deepEqual(await verdict(), clean);
  });
}

test("rows of a block that nobody asked for, a number in the coverage without rows, and a row too many are wrong", async () => {
  const found = await damaged(
    [
      "insert into withdrawals (block_number, index, validator_index, address, amount) values (777777, 1, 1, '\\x00', 1)",
      "create table kept_coverage as select * from processing_coverage",
      "update processing_coverage set blocks = blocks + '{[888888,888889)}'::int8multirange",
    ],
    [
      "delete from withdrawals where block_number = 777777",
      "update processing_coverage set blocks = (select blocks from kept_coverage)",
      "drop table kept_coverage",
    ],
  );
  assert.deepEqual(found.wrong, [
    { block: 777_777, what: "is stored, and should not be" },
    { block: 888_888, what: "is in the coverage, and should not be" },
  ]);
});

/** A job of block 10 in the hands of a worker. */
const handOut = [
  `insert into processing_jobs (block_number) values (10) on conflict (block_number) do update set status = 'pending'`,
];
const claimAs = (worker: string) => [
  `update processing_jobs set status = 'processing', worker_id = '${worker}', claims = claims + 1, started_at = now()
   where block_number = 10`,
];
const store = [
  "create table kept_block as select * from blocks where number = 10",
  "delete from blocks where number = 10",
  "insert into blocks select * from kept_block",
  "drop table kept_block",
];
const completeAs = (worker: string) => [
  "begin",
  `update processing_jobs set status = 'completed', completed_at = clock_timestamp(), worker_id = '${worker}' where block_number = 10`,
  ...store,
  "commit",
];

/** What the ledger says of block 10 after these; each test leaves it complete. */
async function doubledAfter(steps: () => Promise<void>): Promise<string[]> {
  const before = (await verdict()).doubled.length;
  await steps();
  const found = await verdict();
  assert.deepEqual(
    found.wrong.filter(({ what }) => !what.includes("coverage")),
    [],
  );
  return found.doubled.slice(before).map(({ what }) => what.replace(/ \(effect.*| in transaction \d+/g, ""));
}

test("a block that is completed as it should be is not complained of", async () => {
  const found = await doubledAfter(async () => {
    await as("chaos person", ...handOut);
    await as("blockmill h.1.a/w1", ...claimAs("h.1.a/w1"), ...completeAs("h.1.a/w1"));
  });
  assert.deepEqual(found, []);
});

test("a block that is completed twice by one token is doubled", async () => {
  const found = await doubledAfter(() => as("blockmill h.1.a/w1", ...completeAs("h.1.a/w1")));
  assert.deepEqual(found, ["completed while it was completed"]);
});

test("a completion by a worker whose claim was handed on is doubled", async () => {
  const found = await doubledAfter(async () => {
    await as("chaos person", ...handOut);
    await as("blockmill h.1.a/w1", ...claimAs("h.1.a/w1"));
    await as("chaos person", ...handOut);
    await as("blockmill h.1.a/w2", ...claimAs("h.1.a/w2"));
    await as("blockmill h.1.a/w1", ...completeAs("h.1.a/w2"));
  });
  assert.deepEqual(found, ["completed by another than its claim's owner h.1.a/w2"]);
});

test("a job that is claimed while another has it, or with a number that it had, is doubled", async () => {
  const found = await doubledAfter(async () => {
    await as("chaos person", ...handOut);
    await as("blockmill h.1.a/w1", ...claimAs("h.1.a/w1"));
    await as("blockmill h.1.a/w2", ...claimAs("h.1.a/w2"));
    await as("chaos person", ...handOut);
    const again = claimAs("h.1.a/w3").map((sql) => sql.replace("claims + 1", "claims"));
    await as("blockmill h.1.a/w3", ...again, ...completeAs("h.1.a/w3"));
  });
  assert.equal(found[0], "claimed while it was processing");
  assert.match(found[1] ?? "", /^claim (\d+) after claim \1$/);
  assert.equal(found.length, 2);
});

test("rows that are not written in the transaction that completes their job are doubled, or lost", async () => {
  const found = await doubledAfter(() => as("blockmill h.1.a/w1", ...store));
  assert.match(found.join(), /its rows were written, which did not complete its job/);
  await as("chaos person", ...handOut);
  const [, complete = ""] = completeAs("h.1.a/w1");
  await as("blockmill h.1.a/w1", ...claimAs("h.1.a/w1"), complete);
  assert.match((await verdict()).lost[0]?.what ?? "", /^completed in transaction \d+, which wrote no rows$/);
});

test("the watch sees a neighbour that does not link, a completed job without its block, and a claim of the dead", async () => {
  const watch = watchInvariants(world);
  const { broken } = world.tally;
  broken.length = 0;
  const seen = async (pattern: RegExp): Promise<void> => {
    while (!broken.some(({ what }) => pattern.test(what)))
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await as(
    "damage",
    "set session_replication_role = replica",
    "update blocks set parent_hash = hash where number = 20",
  );
  await seen(/block 20 does not link/);
  await as(
    "damage",
    "insert into processing_jobs (block_number, status, completed_at) values (999999, 'completed', now())",
  );
  await seen(/block 999999 is completed, but not stored/);
  await as(
    "damage",
    `insert into processing_jobs (block_number, status, worker_id, started_at)
     values (999998, 'processing', 'nobody.1.a/w1', now())`,
  );
  while (watch.longestDeadClaimMs < 500) await new Promise((resolve) => setTimeout(resolve, 20));
  await watch.stop();
});

test("a claim of the dead is told when its limit has passed, counted by how much of a core the machine gives", async () => {
  const { broken } = world.tally;
  broken.length = 0;
  const isTold = () =>
    broken.some(({ what }) => what.startsWith("claims of the dead worker nobody.2.a/w1 for "));
  await as(
    "damage",
    `insert into processing_jobs (block_number, status, worker_id, started_at)
     values (999997, 'processing', 'nobody.2.a/w1', now())`,
  );
  const onBusy = watchInvariants(world, { deadClaimLimitMs: 100, share: () => 0.001 });
  while (onBusy.longestDeadClaimMs < 500) await new Promise((resolve) => setTimeout(resolve, 20));
  await onBusy.stop();
  assert(!isTold());
  const onIdle = watchInvariants(world, { deadClaimLimitMs: 100, share: () => 1 });
  while (!isTold()) await new Promise((resolve) => setTimeout(resolve, 20));
  await onIdle.stop();
});
