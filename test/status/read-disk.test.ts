import assert from "node:assert/strict";
import { test } from "node:test";
import { forecastOf, formatDisk } from "../../src/cli/disk.js";
import { readDisk, sampleDisk } from "../../src/status/read-disk.js";
import { storedScene, useWorld } from "../orchestrator/scene.js";

const world = useWorld();
const plain = (_style: string, text: string) => text;
const day = 86_400_000;

test("each table's bytes are told, and its growth once a sample is an hour old", async () => {
  await world.pool.query("truncate processing_disk");
  await storedScene(world);
  await sampleDisk(world.pool);
  await sampleDisk(world.pool);
  assert.equal((await world.rows("select from processing_disk")).length, 1);
  const first = await readDisk(world.pool);
  assert.deepEqual([first.blocks, first.bytesPerDay, first.measuredDays], [41, null, null]);
  const logs = first.tables.find(({ name }) => name === "logs");
  const [real] = await world.rows<{ bytes: number }>("select pg_total_relation_size('logs') as bytes");
  assert.equal(logs?.bytes, Number(real?.bytes));

  await world.pool.query(`
    update processing_disk set sampled_at = now() - interval '2 days', blocks = 1,
      bytes = (select jsonb_object_agg(key, case key when 'logs' then 1000 else value::bigint end) from jsonb_each_text(bytes));
    insert into processing_disk (sampled_at, blocks, bytes) values (now() - interval '41 days', 0, '{}')`);
  const disk = await readDisk(world.pool);
  assert(Math.abs((disk.blocksPerDay ?? 0) - 20) < 0.1, String(disk.blocksPerDay));
  const grown = disk.tables.find(({ name }) => name === "logs")?.bytesPerDay ?? 0;
  assert(Math.abs(grown - (Number(real?.bytes) - 1_000) / 2) < 100, String(grown));
  assert.equal(disk.tables.find(({ name }) => name === "blocks")?.bytesPerDay, 0);
  await sampleDisk(world.pool);
  assert.equal(
    (await world.rows("select from processing_disk where sampled_at < now() - interval '40 days'")).length,
    0,
  );
});

const disk = {
  tables: [{ name: "logs", bytes: 1_234_567_890, rows: 1_000_000, bytesPerDay: 1e8 }],
  bytes: 1_234_567_890,
  bytesPerDay: 1e8,
  blocks: 10_000,
  blocksPerDay: 1_000,
  measuredDays: 3,
  dataDirectory: null,
  serverAddress: null,
};

test("the forecast to a block goes by what a block takes now, to a day by the growth; without growth by the average", () => {
  const now = Date.parse("2027-01-01T00:00:00Z");
  const at = forecastOf(disk, { block: 20_000, now });
  assert.deepEqual([at?.bytes, at?.at?.toISOString()], [disk.bytes + 1e9, "2027-01-11T00:00:00.000Z"]);
  assert.equal(forecastOf(disk, { until: new Date(now + 2 * day), now })?.bytes, disk.bytes + 2e8);
  const still = { ...disk, bytesPerDay: null, blocksPerDay: null, measuredDays: null };
  assert.deepEqual(forecastOf(still, { block: 20_000, now }), {
    block: 20_000,
    at: null,
    bytes: 2 * disk.bytes,
  });
  assert.equal(forecastOf(still, { until: new Date(now + day), now }), null);
  assert.equal(forecastOf(disk, { now }), null);
});

test("sizes are for people, and say when the disk is full", () => {
  const now = Date.parse("2027-01-01T00:00:00Z");
  const text = formatDisk(
    { ...disk, capacity: 2e9, forecast: forecastOf(disk, { block: 20_000, now }) },
    plain,
  );
  assert.match(text, /logs +1\.2 GB +1,000,000 +\+100 MB\n/);
  assert.match(text, /10,000 blocks stored, 123 kB each, 1,000 more a day\./);
  assert.match(text, /Of 2\.0 GB \(alerts\.disk_gb\) it fills the rest in 7 days\./);
  assert.match(text, /At 20,000 stored blocks \(2027-01-11\): 2\.2 GB\./);
});
