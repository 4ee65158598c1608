import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BlockRef } from "../../src/block.js";
import { type Child, startChild } from "../../src/supervisor/child.js";
import type { Installation } from "../../src/supervisor/installation.js";
import { computeFd, loadChild } from "../../src/supervisor/load-child.js";
import { configOf } from "../orchestrator/scene.js";
import { makeRelease } from "./made-children.js";

const workerId = "host.1.a/w1";

interface Scene {
  child: Child;
  announced: BlockRef[];
}

function start(t: TestContext, installation: Installation, { leaseForMs = 0, isMarked = true } = {}): Scene {
  const { process, mark } = loadChild({ role: "worker", workerId, installation, outputFd: 2 });
  t.after(() => void process.kill("SIGKILL"));
  if (!isMarked) mark?.close();
  const announced: BlockRef[] = [];
  const child = startChild(process, {
    role: "worker",
    settings: { config: configOf(), workerId, pool: { min: 0, max: 1 }, rpcShare: 1 },
    mark: isMarked ? mark : undefined,
    leaseForMs,
    onAnnounced: (block) => announced.push(block),
    onCounted() {},
    view: () => assert.fail("nobody asks"),
  });
  return { child, announced };
}

/** Starts a child that does `code` with each message. */
async function startCode(t: TestContext, code: string, options = {}): Promise<Scene> {
  const release = await makeRelease(t, `process.on("message", (message) => { ${code} });`);
  return start(t, release, options);
}

test("a child is what it said last, as far as its role may say it; before that it loads", async (t) => {
  const { child } = await startCode(
    t,
    `process.send({ type: "heartbeat", state: "working", doing: { completed: 5, failed: "x", strange: 1 } });
     process.send({ type: "a type of a later release" });
     process.send({ type: "ready" });`,
  );
  assert.deepEqual([child.state, child.hasLoaded, child.doing], ["starting", false, {}]);
  await child.ready;
  assert.deepEqual([child.state, child.hasLoaded, child.doing], ["working", true, { completed: 5 }]);
  assert(child.silentMs() <= child.livedMs());
});

test("a child that starts under a lease is told of it first; one that does not is only started", async (t) => {
  const tellOrder = `
    (globalThis.heard ??= []).push(message.type);
    if (message.type === "drain") process.send({ type: "fatal", message: heard.join() }, () => process.exit(3));`;
  for (const [leaseForMs, expected] of [
    [5_000, "lease,start,drain"],
    [0, "start,drain"],
    [-1, "start,drain"],
  ] as const) {
    const { child } = await startCode(t, tellOrder, { leaseForMs });
    child.send({ type: "drain" });
    const { code, signal, fatal } = await child.exited;
    assert.deepEqual({ code, signal, fatal }, { code: 3, signal: null, fatal: expected });
  }
});

test("the block that a child announces is passed on", async (t) => {
  const { child, announced } = await startCode(
    t,
    `process.send({ type: "announced", number: 7, hash: "0x07" }, () => process.exit(0));`,
  );
  await child.exited;
  assert.deepEqual(announced, [{ number: 7, hash: "0x07" }]);
});

test("an exit tells the signal, and the block that was computed: one, none, or unknown", async (t) => {
  const die = `process.kill(process.pid, "SIGKILL");`;
  const mark = `require("node:fs").writeSync(${computeFd}, new BigInt64Array([7n]), 0, 8, 0);`;
  for (const [code, isMarked, computing] of [
    [mark + die, true, 7],
    [die, true, "none"],
    [die, false, "unknown"],
  ] as const) {
    const { child } = await startCode(t, code, { isMarked });
    const exit = await child.exited;
    assert.deepEqual([exit.code, exit.signal, exit.computing], [null, "SIGKILL", computing]);
  }
});

test("a process that cannot be forked counts as an exit, and takes no message amiss", async (t) => {
  const release = await makeRelease(t, "");
  const { child } = start(t, { ...release, node: "/nowhere/node" });
  const { code, signal } = await child.exited;
  assert.deepEqual({ pid: child.pid, code, signal }, { pid: undefined, code: null, signal: null });
  child.send({ type: "drain" });
  child.kill("SIGKILL");
});
