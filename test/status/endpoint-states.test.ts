import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveWorker } from "../../src/queue/read-workers.js";
import { endpointStates } from "../../src/status/endpoint-states.js";

type Told = NonNullable<LiveWorker["doing"]["endpoints"]>[number];

const told = (name: string, state: string, rest: Partial<Told> = {}): Told =>
  ({ name, state, reason: null, until: null, latencyMs: null, head: null, lag: null, ...rest }) as Told;

const worker = (endpoints: Told[], lives = true): LiveWorker =>
  ({ lives, doing: { endpoints } }) as LiveWorker;

test("an endpoint is what all living processes say of it together", () => {
  const states = endpointStates([
    worker([
      told("b", "up", { latencyMs: 10, head: 7, lag: 2 }),
      told("a", "refused", { reason: "chain 5" }),
    ]),
    worker([told("b", "resting", { latencyMs: 30, head: 9, lag: 0, reason: "429" })]),
    worker([told("b", "refused", { reason: "the dead do not count" })], false),
    { lives: true, doing: {} } as LiveWorker,
  ]);
  assert.deepEqual(states, [
    { name: "a", up: 0, resting: 0, refused: 1, reason: "chain 5", latencyMs: null, head: null, lag: null },
    { name: "b", up: 1, resting: 1, refused: 0, reason: "429", latencyMs: 20, head: 9, lag: 0 },
  ]);
});

test("an endpoint that is up for everybody has no reason, whatever one says", () => {
  const [state] = endpointStates([worker([told("a", "up", { reason: "it rested once" })])]);
  assert.equal(state?.reason, null);
});
