import assert from "node:assert/strict";
import { test } from "node:test";
import { deathsOf, endpointUses } from "../../src/web/endpoint-use.js";
import { childOf, viewOf } from "./view.js";

test("an endpoint's use adds up over the processes, and its requests by how they ended", () => {
  const gauges = {
    blockmill_rpc_in_flight_requests: [[["a"], 2]] as [string[], number][],
    blockmill_rpc_limit_requests: [[["a"], 8]] as [string[], number][],
  };
  const counted = {
    blockmill_rpc_requests_total: [
      [["b", "eth_call", "failed"], 1],
      [["a", "eth_getBlockByNumber", "served"], 5],
      [["a", "eth_getBlockReceipts", "served"], 6],
      [["a", "eth_getBlockReceipts", "refused"], 3],
      [["a", "eth_getBlockReceipts", "timed_out"], 4],
    ] as [string[], number][],
    blockmill_rpc_blamed_total: [[["a"], 2]] as [string[], number][],
  };
  const view = viewOf({ counted, children: [childOf("worker", { gauges }), childOf("worker", { gauges })] });
  const none = { inFlight: 0, limit: null, served: 0, refused: 0, timedOut: 0, failed: 0, blamed: 0 };
  assert.deepEqual(endpointUses(view), [
    { name: "a", inFlight: 4, limit: 16, served: 11, refused: 3, timedOut: 4, failed: 0, blamed: 2 },
    { ...none, name: "b", failed: 1 },
  ]);
});

test("only deaths that there were are told", () => {
  const counted = {
    blockmill_worker_deaths_total: [
      [["worker", "SIGKILL"], 0],
      [["worker", "exit code 1"], 2],
    ] as [string[], number][],
  };
  assert.deepEqual(deathsOf(viewOf({ counted })), [{ role: "worker", reason: "exit code 1", count: 2 }]);
});
