// The queue's rules in every interleaving (queue.pml), and each of them taken out in turn: then Spin finds
// an interleaving that loses a block, doubles one or mixes two branches.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../support/project.js";

const exec = promisify(execFile);
const missing = ["spin", "gcc"].find((name) => !existsSync(`/usr/bin/${name}`));
const skip = missing === undefined ? false : `no ${missing}: apt-get install spin gcc libc6-dev`;

/** What breaks when a rule is taken out. */
const rules: Record<string, RegExp> = {
  NO_TOKEN: /assertion violated/,
  TWO_COMMITS: /assertion violated \(\(status\[\d\]==1\)==\(stored\[\d\]!=0\)\)/,
  NO_DRAIN: /assertion violated \(\(status\[\d\]==1\)&&/,
  LATE_LOOK: /assertion violated \(\(status\[\d\]==1\)&&/,
  SPLIT_REORG: /assertion violated \(\(status\[\d\]==1\)==\(stored\[\d\]!=0\)\)/,
  NO_RELEASE: /assertion violated \(\(status\[\d\]==1\)&&/,
};

/** Explores every state, or up to the first that breaks a promise. Returns what Spin says. */
async function explore(define?: string): Promise<string> {
  const cwd = await mkdtemp(path.join(tmpdir(), "blockmill-spin-"));
  try {
    const model = path.join(projectRoot, "test/model/queue.pml");
    await exec("spin", [...(define === undefined ? [] : [`-D${define}`]), "-a", model], { cwd });
    await exec("gcc", ["-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=4096", "-o", "pan", "pan.c"], {
      cwd,
    });
    // It ends with 0 whatever it found.
    const { stdout } = await exec("./pan", ["-E", "-m200000"], { cwd, maxBuffer: 2 ** 24 });
    return stdout;
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

test("no interleaving of claims, deaths, lost hints and a reorg loses a block, doubles or mixes one", {
  skip,
}, async (t) => {
  const said = await explore();
  assert.match(said, /errors: 0/);
  assert.doesNotMatch(said, /max search depth too small|out of memory/i);
  const unreached = said.split("\n").filter((line) => /^\s+\(\d+ of \d+ states\)/.test(line));
  assert(unreached.length > 0);
  assert.deepEqual(
    unreached.filter((line) => !/\(0 of/.test(line)),
    [],
    "every line of the model is reached",
  );
  t.diagnostic(/(\d+) states, stored/.exec(said)?.[0] ?? "");
});

for (const [rule, broken] of Object.entries(rules)) {
  test(`${rule}: without that rule there is an interleaving that breaks a promise`, { skip }, async () => {
    const said = await explore(rule);
    assert.match(said, /errors: 1/);
    assert.match(said, broken);
  });
}
