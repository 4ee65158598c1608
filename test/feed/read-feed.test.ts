import assert from "node:assert/strict";
import { test } from "node:test";
import { readFeed } from "../../src/feed/read-feed.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { useWorld } from "../orchestrator/scene.js";
import { feedScene, readAs } from "./scene.js";

const world = useWorld();

test("the feed says what it told, which block it waits for, and how far behind its readers are", async () => {
  const { pool } = world;
  await feedScene(world, { head: 6 });
  assert.equal(await readFeed(pool, 10), null);
  await feedScene(world, { head: 6, from: 2 });
  assert.deepEqual(await readFeed(pool, 10), {
    lastStep: 5,
    newest: 6,
    next: 7,
    readers: [],
    readerCount: 0,
  });
  for (const name of ["slow", "fast"]) await pool.query("select start_reader($1, 0)", [name]);
  await readAs(pool, "fast", 10);
  await removeStored({ pool, dependents: world.dependents }, { from: 4, to: 4 });
  const feed = await readFeed(pool, 1);
  assert.deepEqual(feed, {
    lastStep: 6,
    newest: 6,
    next: 4,
    readers: [{ name: "slow", behind: 6, isGone: false, pinned: false, readSeconds: null }],
    readerCount: 2,
  });
});
