// Every migration, and one that is made up, on a database of the build before, while that build writes.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { schemaVersion } from "../../src/db/schema-version.js";
import { digestVersion } from "../../src/store/digest-version.js";
import { type DebianPostgres, skip as noPostgres, startDebianPostgres } from "../support/debian-postgres.js";
import { buildOf, editedBuild, thisBuild, whyNoBuild } from "../support/other-builds.js";
import { type Before, setBefore, upgrade } from "../support/upgrade.js";

/** The last commit of schema version 1. With each release: the one that was released. */
const commitBefore = "663d8fb0149468a3ed27da26617b40c0c86c1854";
const skip = noPostgres || whyNoBuild(commitBefore);

let server: DebianPostgres;
let old: Before;

before(async () => {
  if (skip) return;
  server = await startDebianPostgres();
  old = await setBefore(buildOf(commitBefore), { server, blocks: 10_000 });
});
after(async () => {
  if (skip) return;
  await old.close();
  await server.destroy();
});

test("a database of the build before, with 10,000 blocks and that build writing, is upgraded, and all of it proven", {
  skip,
}, async (t) => {
  await upgrade(t, old, { build: thisBuild(), newestDigest: digestVersion });
});

test("a column to come, which a digest version to come covers, makes no stored block wrong; bad rows are dealt with first", {
  skip,
}, async (t) => {
  const [version, digest] = [schemaVersion + 1, digestVersion + 1];
  const build = madeUpBuild(version, digest);
  t.after(() => rmSync(build.folder, { recursive: true }));
  const { pool, run } = await upgrade(t, old, { build, newestDigest: digest });

  const { rows: jobs } = await pool.query(
    "select metadata from processing_jobs where block_number > 900000 order by block_number",
  );
  assert.deepEqual(
    jobs.map(({ metadata }) => metadata),
    [{ was: "no object" }, null, { mine: true }],
  );
  const { rows: made } = await pool.query<{ version: number; values: number; same: boolean }>(
    `select digest_version as version, count(made_up)::int as values, bool_and(made_up = number * 2) as same
     from blocks where digest_version in (1, $1) group by 1 order by 1`,
    [digest],
  );
  assert.deepEqual(made[0], { version: 1, values: 0, same: null });
  assert.equal(made[1]?.same, true);

  // Whatever is done to the column, or to the version, is found.
  const number = async (ofVersion: number) => {
    const { rows } = await pool.query("select max(number)::int as n from blocks where digest_version = $1", [
      ofVersion,
    ]);
    return rows[0]?.n as number;
  };
  const [older, newer] = [await number(1), await number(digest)];
  const changes: [block: number, change: string, complaint: RegExp][] = [
    [newer, "made_up = made_up + 1", /digest: its rows are not those that were written/],
    [newer, "made_up = null", /digest: its rows are not those that were written/],
    [newer, "digest_version = 1", /made_up \(blocks\): expected null/],
    [newer, "digest_version = 1, made_up = null", /digest: its rows are not those that were written/],
    [older, "made_up = 5", /made_up \(blocks\): expected null, got 5/],
    [older, `digest_version = ${digest}`, /digest: its rows are not those that were written/],
    [older, "digest_version = 30000", /digest_version \(blocks\): expected 1 to \d+, got 30000/],
    [older, "digest_version = 0", /digest_version \(blocks\): expected 1 to \d+, got 0/],
  ];
  for (const [block, change, complaint] of changes) {
    await pool.query(`create table kept as select * from blocks where number = ${block}`);
    await pool.query(`update blocks set ${change} where number = ${block}`);
    const { code, stdout } = await run(["verify", String(block)]);
    assert.equal(code, 1, change);
    assert.match(stdout, complaint, change);
    await pool.query(
      `delete from blocks where number = ${block}; insert into blocks table kept; drop table kept`,
    );
  }
  assert.equal((await run(["verify", String(older)])).code, 0);
  assert.equal((await run(["verify", String(newer)])).code, 0);
});

/** This build, with a column more, which its newest digest covers, and a constraint that an old row breaks. */
function madeUpBuild(version: number, digest: number) {
  const comment = "comment on column blocks.made_up is 'Made up.';";
  const constraint =
    "alter table processing_jobs add constraint made_up check (jsonb_typeof(metadata) = 'object')";
  return editedBuild(
    [
      {
        file: "schema.sql",
        from: /insert into schema_version \(version, accepts\) values \(\d+, \d+\)/,
        to: `insert into schema_version (version, accepts) values (${version}, 1)`,
      },
      {
        file: "schema.sql",
        from: "  digest_version            smallint    not null default 1\n);",
        to: `  digest_version            smallint    not null default 1,\n  made_up bigint\n);\n${comment}`,
      },
      {
        file: "schema.sql",
        from: "  due_at        timestamptz generated",
        to: "  constraint made_up check (jsonb_typeof(metadata) = 'object'),\n  due_at        timestamptz generated",
      },
      {
        file: "dist/src/db/schema-version.js",
        from: `schemaVersion = ${version - 1};`,
        to: `schemaVersion = ${version};`,
      },
      {
        file: "dist/src/store/blocks-table.js",
        from: "const columns = tableColumns(BLOCKS);",
        to: `const columns = [...tableColumns(BLOCKS), ["made_up", (out, row, header) => out.int8(header.number * 2), ${digest}]];`,
      },
      {
        // Nothing of it was compiled again, so the direct way does not know the column: it takes no block.
        file: "dist/src/direct/direct-way.js",
        from: "if (instantiate === null)",
        to: "if (instantiate !== undefined)",
      },
    ],
    {
      [`migrations/${String(version).padStart(4, "0")}-made-up.sql`]: [
        "-- accepts: 1",
        "alter table blocks add column made_up bigint;",
        // A view keeps the columns that it was made with.
        `create or replace view dropped_blocks as select dropped.change_id, dropped.hash as dropped_hash, old.*
         from dropped_rows as dropped, jsonb_populate_record(null::blocks, dropped.row) as old
         where dropped.table_name = 'blocks';`,
        comment,
        "update processing_jobs set metadata = jsonb_build_object('was', metadata) where jsonb_typeof(metadata) <> 'object';",
        `${constraint} not valid;`,
        "alter table processing_jobs validate constraint made_up;",
        "",
      ].join("\n"),
    },
  );
}
