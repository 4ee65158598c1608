import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { alive, waitFor } from "../support/process.js";
import { compiledTests, projectRoot } from "../support/project.js";

interface Step {
  name: string;
  tier?: "gate" | "full";
  seconds: number;
  basis?: boolean;
  needs?: string[];
  node?: string;
  command: string[];
}

interface Outcome {
  name: string;
  seconds: number;
  failure?: string;
  skipped?: string;
}

interface RunTier {
  runSteps(steps: Step[], options: object): Promise<Outcome[]>;
  renderOutcomes(outcomes: Outcome[]): string[];
  cleanCommit(folder: string): string | undefined;
  notePassed(commit: string, folder: string): string;
}

const { runSteps, renderOutcomes, cleanCommit, notePassed } = (await import(
  `${projectRoot}.ci/run-tier.mjs`
)) as RunTier;
const { steps, gateSeconds } = (await import(`${projectRoot}.ci/steps.mjs`)) as {
  steps: Step[];
  gateSeconds: number;
};
const { whyMissing } = (await import(`${projectRoot}.ci/needs.mjs`)) as {
  whyMissing(need: string): string | undefined;
};

const ends = (code: number, name = `ends with ${code}`): Step => ({
  name,
  seconds: 60,
  command: ["sh", "-c", `exit ${code}`],
});

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-tiers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs steps as a tier would, with what it said. */
async function run(chosen: Step[], more: object = {}): Promise<{ outcomes: Outcome[]; said: string[] }> {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const options = { cwd: tmpdir(), mostSeconds: 60, goesOn: false, why: () => undefined, say, ...more };
  return { outcomes: await runSteps(chosen, options), said };
}

test("the gate ends by itself within the 90 minutes that it is given, and every step has a name and a bound", () => {
  assert(gateSeconds < 90 * 60 - 300);
  assert.equal(new Set(steps.map(({ name }) => name)).size, steps.length);
  for (const { name, tier, seconds, command } of steps) {
    assert(tier === "gate" || tier === "full", name);
    assert(seconds > 0 && command.length > 0, name);
  }
});

test("every part of the suite that a step names has tests, or a need that says that it has none yet", () => {
  const built = execFileSync("find", [compiledTests, "-name", "*.test.js"], { encoding: "utf8" });
  for (const { name, command, needs = [] } of steps) {
    if (!command.includes("test")) continue;
    for (const part of command.slice(command.indexOf("--", command.indexOf("test")) + 1)) {
      if (part === "--without" || command[command.indexOf(part) - 1] === "--without") continue;
      if (needs.some((need) => whyMissing(need) !== undefined)) continue;
      assert(built.includes(part), `${name}: no test in ${part}`);
    }
  }
});

test("a step that does not end within its bound is stopped, and named", async () => {
  const { outcomes, said } = await run([
    { name: "one that hangs", seconds: 1, command: ["sleep", "600"] },
    ends(0),
  ]);
  assert.deepEqual(
    outcomes.map(({ name, failure }) => [name, failure]),
    [["one that hangs", "it did not end within its 1 s, and was stopped"]],
  );
  assert.match(said.at(-1) ?? "", /^== one that hangs FAILED after \d+ s: it did not end within its 1 s/);
});

test("what is stopped is stopped with all that it started", async (t) => {
  const file = path.join(folderFor(t), "pid");
  const ends = new AbortController();
  const command = ["sh", "-c", `sleep 600 & echo $! >${file}.new; mv ${file}.new ${file}; wait`];
  const running = run([{ name: "long", seconds: 60, command }], { signal: ends.signal });
  await waitFor(() => existsSync(file), { what: "it to run" });
  ends.abort();
  assert.equal((await running).outcomes[0]?.failure, "it was interrupted");
  const started = Number(readFileSync(file, "utf8"));
  await waitFor(() => !alive(started), { what: "what it started to end" });
});

test("the bound of all steps together stops the one that runs then", async () => {
  const { outcomes } = await run([{ name: "long", seconds: 600, command: ["sleep", "600"] }], {
    mostSeconds: 1,
  });
  assert.equal(outcomes[0]?.failure, "it did not end within its 1 s, and was stopped");
});

test("the gate ends with the first failure; the full tier goes on, unless nothing after it would make sense", async () => {
  const names = async (chosen: Step[], goesOn: boolean) =>
    (await run(chosen, { goesOn })).outcomes.map(({ name, failure }) => [name, failure]);
  const chosen = [ends(0), ends(3), ends(0, "after it")];
  const failed = ["ends with 3", "exit code 3"];
  assert.deepEqual(await names(chosen, false), [["ends with 0", undefined], failed]);
  assert.deepEqual(await names(chosen, true), [["ends with 0", undefined], failed, ["after it", undefined]]);
  assert.deepEqual(await names([{ ...ends(3), basis: true }, ends(0)], true), [failed]);
});

test("what is needed and missing skips its step, by name and with the reason", async () => {
  const why = (need: string) => (need === "docker" ? "no docker on the PATH" : undefined);
  const { outcomes, said } = await run([{ ...ends(1, "containers"), needs: ["root", "docker"] }, ends(0)], {
    why,
  });
  assert.deepEqual(outcomes[0], { name: "containers", seconds: 0, skipped: "no docker on the PATH" });
  assert.equal(outcomes[1]?.failure, undefined);
  assert.equal(said[0], "== containers: skipped, no docker on the PATH");
  assert.equal(renderOutcomes(outcomes)[0], " skipped  containers: no docker on the PATH");
});

test("a step reads no standard input", async () => {
  const { outcomes } = await run([{ name: "reads", seconds: 60, command: ["sh", "-c", "! read -r line"] }]);
  assert.equal(outcomes[0]?.failure, undefined);
});

test("only a clean tree has a commit to be noted, and the note holds its hash alone", (t) => {
  const folder = folderFor(t);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  assert.equal(cleanCommit(folder), undefined);
  git("init", "--quiet");
  writeFileSync(path.join(folder, "a"), "1");
  git("add", "a");
  git("commit", "--quiet", "--message", "One");
  const commit = git("rev-parse", "HEAD");
  assert.equal(cleanCommit(folder), commit);
  writeFileSync(path.join(folder, "b"), "2");
  assert.equal(cleanCommit(folder), undefined);

  const place = folderFor(t);
  const file = notePassed(commit, place);
  assert.equal(file, path.join(place, "blockmill-ci-passed"));
  assert.equal(readFileSync(file, "utf8"), `${commit}\n`);
});
