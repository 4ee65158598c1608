// Partitions in a backup, on Debian's PostgreSQL, whose pg_dump and pg_restore are the ones on the PATH.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readCatalog } from "../cli/catalog.js";
import { setScene } from "../daemon/scene.js";
import { setBackupScene } from "../ops/backup-scene.js";
import { skip } from "../support/debian-postgres.js";
import { partitionsOf } from "./partition-names.js";

test("a reader's backup holds every partition and index; restored, it is the same, is proven, and goes on", {
  skip,
}, async (t) => {
  const { place, file } = await setBackupScene(t);
  const [source, target] = [await place("partitioned"), await place("restored")];
  await source.succeed(["init", "--set", "database.partition_blocks=7"]);
  // Before there is any partition: those to come are readable all the same.
  const asReader = await source.addReader("partitions_reader");
  const scene = await setScene(t, { node: { head: 60 }, database: source });
  const rpc = { BLOCKMILL_RPC_URLS: scene.node.url };
  await scene.pool.query(
    "drop trigger count_block_write on blocks; drop function count_block_write; drop table block_writes",
  );
  await source.succeed(["range", "1", "30"], rpc);
  await source.succeed(["index"]);

  const backup = file("partitioned.dump");
  await source.succeed(["backup", backup], asReader);
  const restored = await target.succeed(["restore", backup, "--jobs", "2"]);
  assert.match(restored, /30 blocks proven, 0 wrong, 0 missing/);
  assert.deepEqual(await readCatalog(target.url), await readCatalog(source.url));
  assert.deepEqual(await partitionsOf(target.pool), [0, 7, 14, 21, 28]);
  assert.match(await target.succeed(["init"]), /is there already, .* in partitions of 7 blocks/);
  await target.succeed(["range", "31", "60"], rpc);
  assert.deepEqual(await partitionsOf(target.pool), [0, 7, 14, 21, 28, 35, 42, 49, 56]);
  assert.match(await target.succeed(["verify"]), /60 blocks proven, 0 wrong, 0 missing/);
  const { rows } = await target.pool.query(
    "select indexrelid::regclass::text as name from pg_index where not indisvalid",
  );
  assert.deepEqual(rows, []);
  assert.match(await target.succeed(["index"]), /^logs_topic0: there already, /m);
  const owners = await target.pool.query(
    "select proname, proacl::text as acl from pg_proc where proname like '%chain_partition' and has_function_privilege('partitions_reader', oid, 'execute')",
  );
  assert.deepEqual(
    owners.rows,
    [],
    "the function that makes partitions is nobody's but its owner's after a restore too",
  );
});
