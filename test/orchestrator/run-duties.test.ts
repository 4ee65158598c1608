import assert from "node:assert/strict";
import { test } from "node:test";
import { type Duty, runDuties } from "../../src/orchestrator/run-duties.js";

const never = 2 ** 40;

test("each duty is done at once, and one that failed is told and does not keep the others from theirs", async () => {
  const stop = new AbortController();
  const did: string[] = [];
  const failures: unknown[] = [];
  const duty = (name: string, run: () => number): Duty => ({
    name,
    run: async () => {
      did.push(name);
      return run();
    },
  });
  const failure = new Error("it failed");
  const { done } = runDuties({
    duties: [
      duty("first", () => {
        throw failure;
      }),
      duty("second", () => never),
      duty("third", () => {
        stop.abort();
        return never;
      }),
    ],
    signal: stop.signal,
    onError: ({ name }, error) => failures.push([name, error]),
  });
  await done;
  assert.deepEqual(did, ["first", "second", "third"]);
  assert.deepEqual(failures, [["first", failure]]);
});

test("a hint makes due again what looks after hints, and nothing else", async () => {
  const stop = new AbortController();
  const did: string[] = [];
  const { done, hint } = runDuties({
    duties: [
      {
        name: "deaf",
        run: async () => {
          did.push("deaf");
          return never;
        },
      },
      {
        name: "hears",
        afterHintMs: 0,
        run: async () => {
          did.push("hears");
          // Also while it runs.
          if (did.length < 4) hint();
          else stop.abort();
          return never;
        },
      },
    ],
    signal: stop.signal,
    onError: (_, error) => assert.fail(String(error)),
  });
  await done;
  assert.deepEqual(did, ["deaf", "hears", "hears", "hears"]);
});

test("where there is nothing to be done it is done", async () => {
  const { done, hint } = runDuties({
    duties: [],
    signal: new AbortController().signal,
    onError: () => {},
  });
  hint();
  await done;
});
