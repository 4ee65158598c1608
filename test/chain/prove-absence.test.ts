import assert from "node:assert/strict";
import { test } from "node:test";
import { maySkip, proveAbsence } from "../../src/chain/prove-absence.js";
import { startFixture } from "../support/fixture.js";
import { openEndpoints } from "./open-endpoints.js";

test("a number has no block where the next block's parent is below it, and only there", async (t) => {
  const node = await startFixture({ chainId: 314, head: 22, nullRounds: { main: [10, 11, 21] } });
  t.after(() => node.stop());
  const endpoints = openEndpoints(t, [node.url]);
  const prove = (number: number) =>
    endpoints.tryEach((endpoint, signal) => proveAbsence(endpoint, number, signal));
  for (const number of [10, 11]) {
    const proof = await prove(number);
    assert.deepEqual([proof?.parent.number, proof?.child.number], [9, 12]);
    assert.equal(proof?.child.number === 12, true);
  }
  assert.equal((await prove(21))?.child.number, 22);
  assert.equal(maySkip(endpoints.all[0] ?? assert.fail()), true);
  // A block that a node only hides: its child names it.
  assert.equal(await prove(15), null);
  // Nothing is above the head yet.
  for (const number of [22, 23]) assert.equal(await prove(number), null);
});
