import assert from "node:assert/strict";
import { test } from "node:test";
import { type AlertRuleName, ruleSettings } from "../../../src/config/alert-rules.js";
import { createEvaluation } from "../../../src/orchestrator/alerts/evaluate.js";
import type { Seen } from "../../../src/orchestrator/alerts/seen.js";
import { seenWell } from "./seen-well.js";

/** One rule over time: what is to be done at each second, with what was done carried out. */
function watch(name: AlertRuleName, fields: object) {
  const evaluate = createEvaluation(ruleSettings(JSON.stringify({ [name]: fields })));
  const open = new Map<string, string>();
  return {
    open,
    at(second: number, change: Partial<Seen>): string | undefined {
      const verdicts = evaluate({ ...seenWell, ...change }, open, second * 1_000);
      const verdict = verdicts.find((each) => each.name === name);
      if (verdict?.kind === "clear") open.delete(name);
      else if (verdict !== undefined) open.set(name, verdict.message);
      return verdict?.kind;
    },
  };
}

const bad = { failed: 100 };
const good = { failed: 0 };
const fields = { threshold: 50, for_seconds: 10, clear_seconds: 5 };

test("an alert is raised when it has been so for its time without a break, once, and cleared when it has been over for its time", () => {
  const { at } = watch("failed_jobs", fields);
  assert.deepEqual(
    [at(0, bad), at(9, bad), at(9.5, good), at(10, bad), at(19, bad), at(20, bad), at(21, bad)],
    [undefined, undefined, undefined, undefined, undefined, "raise", undefined],
  );
  assert.deepEqual(
    [at(22, good), at(26, bad), at(27, good), at(31, good), at(32, good), at(33, good)],
    [undefined, undefined, undefined, undefined, "clear", undefined],
  );
});

test("where too little is wrong, the threshold of an open alert is higher, not lower", () => {
  const { at } = watch("disk_forecast", { threshold: 9, for_seconds: 0, clear_seconds: 0 });
  const daysLeft = (days: number): Partial<Seen> => ({
    disk: { bytes: 0, capacity: days * 1e9, bytesPerDay: 1e9 },
  });
  assert.deepEqual(
    [at(0, daysLeft(9.5)), at(1, daysLeft(8.5)), at(2, daysLeft(9.5)), at(3, daysLeft(10.5))],
    [undefined, "raise", undefined, "clear"],
  );
});

test("an alert that is off is cleared, also one of an event", () => {
  const { open, at } = watch("false_head", { off: true });
  open.set("false_head", "an endpoint tells of another head");
  assert.equal(at(0, {}), "clear");
});

test("while it is open its threshold is a tenth lower: a value beside it does not ring again and again", () => {
  const { at } = watch("failed_jobs", { ...fields, for_seconds: 0, clear_seconds: 0 });
  assert.deepEqual(
    [at(0, { failed: 50 }), at(1, { failed: 51 }), at(2, { failed: 46 }), at(3, { failed: 45 })],
    [undefined, "raise", undefined, "clear"],
  );
});

test("a message that changes is written again, but not at every look", () => {
  const { at, open } = watch("failed_jobs", { ...fields, for_seconds: 0 });
  assert.equal(at(0, { failed: 100 }), "raise");
  assert.equal(at(10, { failed: 101 }), undefined);
  assert.equal(at(31, { failed: 102 }), "rewrite");
  assert.match(open.get("failed_jobs") ?? "", /102 jobs/);
});

test("what cannot be told leaves an alert as it is", () => {
  const { at, open } = watch("connections", { clear_seconds: 0 });
  open.set("connections", "of an earlier leader");
  assert.equal(at(0, { server: undefined }), undefined);
  assert.equal(at(1, {}), "clear");
});

test("an alert of an earlier leader is cleared where it is over, also of a rule that is off; one that is still so is not raised again", () => {
  const { at, open } = watch("failed_jobs", { clear_seconds: 0 });
  open.set("failed_jobs", "of an earlier leader");
  assert.equal(at(0, bad), "rewrite");
  assert.equal(at(1, good), "clear");
  const off = watch("failed_jobs", { off: true });
  off.open.set("failed_jobs", "of an earlier leader");
  assert.deepEqual([off.at(0, bad), off.at(1, bad)], ["clear", undefined]);
});

test("events are raised and cleared by who notices them, not by looks", () => {
  const { at, open } = watch("false_head", {});
  open.set("false_head", "told just now");
  assert.equal(at(0, {}), undefined);
});
