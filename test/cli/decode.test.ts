// blockmill decode, as a person uses it.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fixtureEvents } from "../decode/event-scene.js";
import { type StoredChain, useStoredChain } from "../stored/stored-chain.js";
import { blockmill } from "./blockmill.js";

async function configure(t: TestContext, chain: StoredChain, decode: unknown): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-decode-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "chain.json");
  await writeFile(file, JSON.stringify({ database: { url: chain.database.url }, decode }, null, 2));
  return file;
}

test("plan says what apply makes and changes nothing; apply makes it; status tells; drop takes it away", async (t) => {
  const chain = await useStoredChain(t, { logsPerTransaction: 2 });
  await chain.store(1, 10);
  const file = await configure(t, chain, { pair: fixtureEvents.pair });
  const tables = () =>
    chain.pool
      .query<{ name: string }>(
        "select relname as name from pg_class where relname like 'pair%' and relkind in ('r', 'v') order by 1",
      )
      .then(({ rows }) => rows.map(({ name }) => name));

  const planned = await blockmill(["decode", "plan", "-c", file]);
  assert.equal(planned.code, 0, planned.stderr);
  assert.match(planned.stdout, /^pair_swap: new\n {2}event Swap\(address indexed sender/);
  assert.match(planned.stdout, /create table "pair_sync" \(\n {4}block_number bigint not null,/);
  assert.match(planned.stdout, /"reserve0" numeric\(78,0\)/);
  assert.match(planned.stdout, /\d+ stored logs match; filling takes about 0\.\d s/);
  assert.deepEqual(await tables(), []);
  assert.match(
    (await blockmill(["decode", "status", "-c", file])).stdout,
    /blockmill decode apply makes them/,
  );

  const applied = await blockmill(["decode", "apply", "-c", file]);
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /pair_swap: new\npair_sync: new\nApplied\./);
  assert.deepEqual(await tables(), ["pair_swap", "pair_swap_hex", "pair_sync", "pair_sync_hex"]);
  const { rows } = await chain.pool.query(
    `select obj_description('pair_sync'::regclass) as whole, col_description('pair_sync'::regclass, attnum) as part
     from pg_attribute where attrelid = 'pair_sync'::regclass and attname = 'reserve0'`,
  );
  assert.match(rows[0].whole, /event Sync\(uint112 reserve0, uint112 reserve1\), of "pair"/);
  assert.match(rows[0].part, /uint112 reserve0/);
  assert.equal(
    (await blockmill(["decode", "apply", "-c", file])).stdout.split("\n").at(-2),
    "Nothing changed.",
  );

  const status = await blockmill(["decode", "status", "--json", "-c", file]);
  const [swap] = status.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual([swap.table, swap.covered, swap.missing, swap.trouble], ["pair_swap", 0, 10, null]);

  const emptied = await configure(t, chain, {});
  assert.match((await blockmill(["decode", "plan", "-c", emptied])).stdout, /pair_swap: applied, and not in/);
  const dropped = await blockmill(["decode", "drop", "pair_swap", "pair_sync", "other", "-c", emptied]);
  assert.equal(dropped.stdout, "pair_swap: removed\npair_sync: removed\nother: is not applied\n");
  assert.equal(dropped.code, 1);
  assert.deepEqual(await tables(), []);
});

const refused: Record<string, { decode: unknown; says: RegExp }> = {
  "a name that is none": {
    decode: { "My Token": { address: "any", events: ["A()"] } },
    says: /decode\.My Token \(.*chain\.json:\d+\): expected a name of at most 30/,
  },
  "an address that is none": {
    decode: { token: { address: "0x12", events: ["A()"] } },
    says: /decode\.token\.address \(.*chain\.json:\d+\): expected "any", an address .*, got "0x12"/,
  },
  "a signature that is none": {
    decode: { token: { address: "any", events: ["Transfer(adress)"] } },
    says: /decode\.token\.events: .*adress/,
  },
  "a file that is not there": {
    decode: { token: { address: "any", abi: "nowhere.json" } },
    says: /decode\.token\.abi: .*nowhere\.json cannot be read/,
  },
  "a where that names no argument": {
    decode: { token: { address: "any", events: ["A(uint8 b)"], where: { "A.c": 1 } } },
    says: /decode\.token\.where\.A\.c: .* has no such argument/,
  },
  "a value of another type": {
    decode: { token: { address: "any", events: ["A(uint8 b)"], where: { "A.b": "x" } } },
    says: /decode\.token\.where\.A\.b: expected a value of uint8/,
  },
  "two tables of one name": {
    decode: {
      a: { address: "any", events: ["B_C(uint8 x)"] },
      a_b: { address: "any", events: ["C(uint8 x)"] },
    },
    says: /decode\.a_b: two events would have the table a_b_c/,
  },
  "an anonymous event of anybody": {
    decode: { a: { address: "any", events: ["B(uint8 x) anonymous"] } },
    says: /decode\.a\.address: expected the address of B: it is anonymous/,
  },
};

test("what cannot be applied is refused with its key and what was expected, and nothing is made", async (t) => {
  const chain = await useStoredChain(t);
  for (const [what, { decode, says }] of Object.entries(refused)) {
    const file = await configure(t, chain, decode);
    const { code, stderr } = await blockmill(["decode", "apply", "-c", file]);
    assert.match(stderr, says, what);
    assert.equal(code, 78, what);
  }
  const { rowCount } = await chain.pool.query("select from decoders");
  assert.equal(rowCount, 0);
});

test("a table of somebody else's is never taken for an event table", async (t) => {
  const chain = await useStoredChain(t);
  await chain.pool.query("create table pair_swap (mine int); insert into pair_swap values (1)");
  const file = await configure(t, chain, { pair: fixtureEvents.pair });
  const { code, stderr } = await blockmill(["decode", "apply", "-c", file]);
  assert.match(stderr, /pair_swap is there already, and blockmill did not make it/);
  assert.equal(code, 78);
  assert.equal((await chain.pool.query("select from pair_swap")).rowCount, 1);
});
