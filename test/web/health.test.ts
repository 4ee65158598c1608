import assert from "node:assert/strict";
import { test } from "node:test";
import { healthz, readyz, unreadyReasons } from "../../src/web/health.js";
import { childOf, viewOf } from "./view.js";

const silent = () => Promise.reject(new Error("the supervisor did not answer within 2 s"));

test("healthy is a daemon whose supervisor answers", async () => {
  assert.equal((await healthz(async () => viewOf())).status, 200);
  const { status, body } = await healthz(silent);
  assert.deepEqual([status, body], [503, "the supervisor did not answer within 2 s\n"]);
});

test("ready is a daemon that can take claims; else it says why not", async () => {
  assert.equal((await readyz(async () => viewOf())).status, 200);
  assert.equal((await readyz(silent)).status, 503);
  const waiting = childOf("worker", { state: "waiting", doing: { reason: "the node is away" } });
  const cases: [Parameters<typeof viewOf>[0], RegExp][] = [
    [{ isDraining: true }, /stopping/],
    [{ leaseForSeconds: 0, leaseLostReason: "no route to host" }, /lease does not hold: no route to host/],
    [{ children: [] }, /no worker can claim/],
    [{ children: [waiting] }, /no worker can claim: the node is away/],
  ];
  for (const [more, reason] of cases) {
    const { status, body } = await readyz(async () => viewOf(more));
    assert.equal(status, 503);
    assert.match(body, reason);
  }
  assert.deepEqual(
    unreadyReasons(viewOf({ children: [waiting, childOf("worker", { state: "working" })] })),
    [],
  );
});
