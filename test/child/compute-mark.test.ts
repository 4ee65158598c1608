import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { createCompute, createComputeMark } from "../../src/child/compute-mark.js";

test("the mark is the block while it is computed, and none before, behind, and after a failure", (t) => {
  const mark = createComputeMark("vm.1.compute-mark/w1");
  assert(mark !== undefined);
  t.after(mark.close);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.includes("compute-mark-w1")),
    [],
    "the file has no name",
  );
  assert.equal(mark.read(), undefined);
  const compute = createCompute(mark.fd);
  const highest = Number.MAX_SAFE_INTEGER - 1;
  for (const block of [0, 7, highest]) {
    assert.equal(
      compute(block, () => mark.read()),
      block,
    );
    assert.equal(mark.read(), undefined);
  }
  assert.equal(
    compute(7, () => mark.readEndpoint(), 2),
    2,
  );
  assert.equal(
    compute(7, () => mark.readEndpoint()),
    undefined,
  );
  assert.throws(() => compute(8, () => assert.fail("no")), /no/);
  assert.equal(mark.read(), undefined);
});

test("a mark that cannot be written costs no block its work", () => {
  const full = openSync("/dev/full", "w");
  assert.equal(
    createCompute(full)(7, () => "done"),
    "done",
  );
  closeSync(full);
});
