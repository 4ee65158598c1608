import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { metricsPage } from "../../codegen/metrics-page.js";
import { metricNames } from "../../src/metrics/list.js";
import { projectRoot } from "../support/project.js";

test("docs/METRICS.md is made of the list, and names every metric", async () => {
  const page = await readFile(`${projectRoot}docs/METRICS.md`, "utf8");
  assert.equal(page, metricsPage(), "make it anew: node dist/codegen/metrics-page.js >docs/METRICS.md");
  for (const name of metricNames) assert(page.includes(`| \`${name}\` `), name);
});
