// Partitions in a backup, on Debian's PostgreSQL, whose pg_dump and pg_restore are the ones on the PATH.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { readCatalog } from "../cli/catalog.js";
import { setScene } from "../daemon/scene.js";
import { skip, startDebianPostgres } from "../support/debian-postgres.js";
import { partitionsOf } from "./partition-names.js";

test("a reader's backup holds every partition and index; restored, it is the same, is proven, and goes on", {
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
    const pool = new pg.Pool({ connectionString: url, max: 4, application_name: "blockmill-test" });
    pools.push(pool);
    const run = async (args: string[], env = {}) => {
      const ended = await blockmill(args, { BLOCKMILL_DATABASE_URL: url, PATH: server.path, ...env });
      assert.equal(ended.code, 0, `${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
      return ended.stdout;
    };
    return { url, pool, run };
  };
  const [source, target] = [await place("partitioned"), await place("restored")];
  await source.run(["init", "--set", "database.partition_blocks=7"]);
  await source.pool.query("create role partitions_reader login password 'r'");
  // Before there is any partition: those to come are readable all the same.
  await source.run(["grant", "--reader", "partitions_reader"]);
  const scene = await setScene(t, { node: { head: 60 }, database: source });
  const rpc = { BLOCKMILL_RPC_URLS: scene.node.url };
  await scene.pool.query(
    "drop trigger count_block_write on blocks; drop function count_block_write; drop table block_writes",
  );
  await source.run(["range", "1", "30"], rpc);
  await source.run(["index"]);

  const file = path.join(folder, "partitioned.dump");
  const asReader = new URL(source.url);
  Object.assign(asReader, { username: "partitions_reader", password: "r" });
  await source.run(["backup", file], { BLOCKMILL_DATABASE_URL: asReader.href });
  const restored = await target.run(["restore", file, "--jobs", "2"]);
  assert.match(restored, /30 blocks proven, 0 wrong, 0 missing/);
  assert.deepEqual(await readCatalog(target.url), await readCatalog(source.url));
  assert.deepEqual(await partitionsOf(target.pool), [0, 7, 14, 21, 28]);
  assert.match(await target.run(["init"]), /is there already, .* in partitions of 7 blocks/);
  await target.run(["range", "31", "60"], rpc);
  assert.deepEqual(await partitionsOf(target.pool), [0, 7, 14, 21, 28, 35, 42, 49, 56]);
  assert.match(await target.run(["verify"]), /60 blocks proven, 0 wrong, 0 missing/);
  const { rows } = await target.pool.query(
    "select indexrelid::regclass::text as name from pg_index where not indisvalid",
  );
  assert.deepEqual(rows, []);
  assert.match(await target.run(["index"]), /^logs_topic0: there already, /m);
  const owners = await target.pool.query(
    "select proname, proacl::text as acl from pg_proc where proname like '%chain_partition' and has_function_privilege('partitions_reader', oid, 'execute')",
  );
  assert.deepEqual(
    owners.rows,
    [],
    "the function that makes partitions is nobody's but its owner's after a restore too",
  );
});
