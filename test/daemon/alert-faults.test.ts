import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type AlertRuleName, alertRuleNames } from "../../src/config/alert-rules.js";
import { rules } from "../../src/orchestrator/alerts/rules.js";
import { projectRoot } from "../support/project.js";
import { faults } from "./alert-faults.js";

test("every rule is driven into firing and out of it by a real fault on the real daemon, in the file that the table names", () => {
  assert.deepEqual(Object.keys(faults).sort(), Object.keys(rules).sort());
  const files = new Set(Object.values(faults).map(({ file }) => file));
  const drivenIn = [...files].flatMap((file) => {
    const source = readFileSync(`${projectRoot}test/daemon/${file}.test.ts`, "utf8");
    const calls = (verb: string) =>
      new Set([...source.matchAll(new RegExp(`\\b${verb}\\("(\\w+)"\\)`, "g"))].map(([, name]) => name));
    const ends = calls("clears");
    return [...calls("fires")].filter((name) => ends.has(name)).map((name) => `${name} in ${file}`);
  });
  const expected = alertRuleNames.map((name: AlertRuleName) => `${name} in ${faults[name].file}`);
  assert.deepEqual(drivenIn.sort(), expected.sort());
});

test("the table's priorities are the rules'", () => {
  for (const name of alertRuleNames) assert.equal(faults[name].priority, rules[name].priority, name);
});
