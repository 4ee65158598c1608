// A table that was added at run time, through a backup, a restore and a proof.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { inTransaction } from "../../src/db/pool.js";
import { addDerivedTable } from "../../src/store/add-derived-table.js";
import { blockmill } from "../cli/blockmill.js";
import { readCatalog } from "../cli/catalog.js";
import { skip, startDebianPostgres } from "../support/debian-postgres.js";

test("a table that was added at run time is backed up, restored and looked at with the others", {
  skip,
}, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-backup-"));
  const server = await startDebianPostgres();
  const pools: pg.Pool[] = [];
  t.after(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.destroy();
    rmSync(folder, { recursive: true });
  });
  const place = async (name: string) => {
    const url = await server.createDatabase(name);
    const pool = new pg.Pool({ connectionString: url, max: 2, application_name: "blockmill-test" });
    pools.push(pool);
    const run = (args: string[]) => blockmill(args, { BLOCKMILL_DATABASE_URL: url, PATH: server.path });
    return { url, pool, run };
  };
  const [source, target] = [await place("source"), await place("target")];
  assert.equal((await source.run(["init", "--set", "database.partition_blocks=10"])).code, 0);
  await source.pool.query("create role derived_reader login password 'r'");
  assert.equal((await source.run(["grant", "--reader", "derived_reader"])).code, 0);
  await inTransaction(source.pool, (tx) =>
    addDerivedTable(tx, {
      name: "made_up",
      columns: [{ name: "log_index", type: "int not null" }],
      key: ["log_index"],
      comment: "Made up.",
    }),
  );
  await source.pool.query(
    "select create_chain_partition(20); insert into made_up values (21, 0), (21, 1), (22, 0)",
  );
  const asReader = new URL(source.url);
  Object.assign(asReader, { username: "derived_reader", password: "r" });
  const file = path.join(folder, "derived.dump");
  const written = await blockmill(["backup", file], {
    BLOCKMILL_DATABASE_URL: asReader.href,
    PATH: server.path,
  });
  assert.equal(written.code, 0, written.stderr);
  const restored = await target.run(["restore", file, "--sample", "0"]);
  assert.equal(restored.code, 0, restored.stdout + restored.stderr);
  assert.deepEqual(await readCatalog(target.url), await readCatalog(source.url));
  const rows = (pool: pg.Pool) =>
    pool.query({ text: "select * from made_up order by 1, 2", rowMode: "array" });
  assert.deepEqual((await rows(target.pool)).rows, (await rows(source.pool)).rows);
  // Its rows have no block: the proof sees them.
  const { code, stdout } = await target.run(["verify"]);
  assert.equal(code, 1);
  assert.match(stdout, /blocks 21 to 22: made_up: 3 rows without one/);
  // And it is in the list there as well: what is made next has a part of it.
  await target.pool.query("select create_chain_partition(30); insert into made_up values (31, 0)");
});
