import assert from "node:assert/strict";
import { test } from "node:test";
import { notifyReaders } from "../../src/feed/channel.js";
import { useWorld } from "../orchestrator/scene.js";

const world = useWorld();

test("readers are hinted at on their schema's channel, whatever the schema is called", async () => {
  for (const schema of ["public", "odd \"name'; --", `s${"x".repeat(62)}`]) {
    const client = await world.pool.connect();
    const heard: string[] = [];
    client.on("notification", ({ channel, payload }) => heard.push(`${channel}|${payload}`));
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const channel = `blockmill_changes_${schema}`.slice(0, 63);
    await client.query(
      `create schema if not exists ${quote(schema)}; set search_path to ${quote(schema)}; listen ${quote(channel)}`,
    );
    await client.query(notifyReaders);
    await client.query("select");
    assert.deepEqual(heard, [`${channel}|`]);
    client.release(true);
  }
});
