// A table that was added at run time, through a backup, a restore and a proof.

import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { inTransaction } from "../../src/db/pool.js";
import { addDerivedTable } from "../../src/store/add-derived-table.js";
import { readCatalog } from "../cli/catalog.js";
import { skip } from "../support/debian-postgres.js";
import { setBackupScene } from "./backup-scene.js";

test("a table that was added at run time is backed up, restored and looked at with the others", {
  skip,
}, async (t) => {
  const { place, file } = await setBackupScene(t);
  const [source, target] = [await place("source"), await place("target")];
  await source.succeed(["init", "--set", "database.partition_blocks=10"]);
  const asReader = await source.addReader("derived_reader");
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
  const backup = file("derived.dump");
  await source.succeed(["backup", backup], asReader);
  await target.succeed(["restore", backup, "--sample", "0"]);
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
