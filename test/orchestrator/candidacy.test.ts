// Who may lead: sessions that follow the head before those that do not.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { createCandidacy } from "../../src/orchestrator/candidacy.js";
import { waitFor } from "../support/process.js";
import { configOf, useWorld } from "./scene.js";

const world = useWorld();

/** An orchestrator's candidacy, and the session by which it stands. */
async function candidate(t: TestContext, { eager, schema = "public" }: { eager: boolean; schema?: string }) {
  const session = new pg.Client({ connectionString: world.url });
  await session.connect();
  t.after(() => session.end().catch(() => {}));
  const { mayLead } = createCandidacy(
    configOf({ "pipeline.auto_enqueue": eager, "database.schema": schema }),
  );
  return { session, mayLead: () => mayLead(session) };
}

test("any number that follow the head may lead: the election chooses among them", async (t) => {
  const [first, second] = [await candidate(t, { eager: true }), await candidate(t, { eager: true })];
  assert.deepEqual([await first.mayLead(), await second.mayLead()], [true, true]);
  assert.equal(await first.mayLead(), true, "it stands already");
});

test("one that does not follow the head leads only while none is there that does", async (t) => {
  const range = await candidate(t, { eager: false });
  assert.equal(await range.mayLead(), true);
  const daemon = await candidate(t, { eager: true });
  assert.equal(await daemon.mayLead(), true, "the range's leadership keeps no daemon from standing");
  assert.equal(await range.mayLead(), false);
  await daemon.session.end();
  await waitFor(() => range.mayLead(), { what: "the daemon's lock to fall" });
});

test("two that do not follow the head do not keep each other away", async (t) => {
  const [first, second] = [await candidate(t, { eager: false }), await candidate(t, { eager: false })];
  assert.deepEqual([await first.mayLead(), await second.mayLead()], [true, true]);
});

test("another schema's candidates have nothing to do with it", async (t) => {
  const daemon = await candidate(t, { eager: true, schema: "other" });
  assert.equal(await daemon.mayLead(), true);
  assert.equal(await (await candidate(t, { eager: false })).mayLead(), true);
});
