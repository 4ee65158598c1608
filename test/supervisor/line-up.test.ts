// The children of a supervisor as real processes, of releases that do as little as a child may.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { allotConnections } from "../../src/supervisor/allot-connections.js";
import type { Child } from "../../src/supervisor/child.js";
import type { Installation } from "../../src/supervisor/installation.js";
import { LineUp, type LineUpOptions } from "../../src/supervisor/line-up.js";
import { loadChild } from "../../src/supervisor/load-child.js";
import type { Generation } from "../../src/supervisor/place.js";
import { StartLimit } from "../../src/supervisor/start-limit.js";
import { configOf, silent } from "../orchestrator/scene.js";
import { waitFor } from "../support/process.js";
import { makeRelease, obedient } from "./made-children.js";

const supervisorId = "host.1.a";

/** A child that tells what it was sent, and, of a worker, that it completed ten blocks. */
const telling = `
  const heard = [];
  process.on("message", (message) => {
    heard.push(message.type === "start" ? { ...message.settings, config: undefined } : message);
    const reason = JSON.stringify(heard);
    process.send({ type: "heartbeat", state: "idle", doing: { reason, completed: 10 } });
    if (message.type === "start") process.send({ type: "ready" });
    if (message.type === "drain") process.exit(0);
  });`;

interface Heard {
  type?: string;
  workerId?: string;
  rank?: number;
  rpcShare?: number;
  number?: number;
}

/** What a child of `telling` says that it heard. */
const heardBy = (child: Child): Heard[] => JSON.parse(child.doing.reason ?? "[]") as Heard[];

/** Ends every child when the test does. */
function lineUpOf(t: TestContext, over: Partial<LineUpOptions> = {}) {
  const draining = new AbortController();
  const exits: { workerId: string; asked: boolean }[] = [];
  const lineUp = new LineUp({
    supervisorId,
    ahead: undefined,
    only: undefined,
    outputFd: 2,
    startLimit: new StartLimit(),
    log: silent,
    newestInstallation: () => assert.fail("the release is there"),
    leaseForMs: () => 60_000,
    draining: draining.signal,
    onExit: async ({ workerId }, _exit, asked) => void exits.push({ workerId, asked }),
    onFatal: (message) => assert.fail(message),
    runtimeDirectory: undefined,
    onCounted() {},
    view: () => assert.fail("nobody asks"),
    ...over,
  });
  t.after(async () => {
    draining.abort();
    for (const child of lineUp.children) child.send({ type: "drain" });
    await lineUp.emptied();
  });
  return { lineUp, exits, draining };
}

function generationOf(installation: Installation, connections = 50): Generation {
  const config = configOf({ "database.pool_size": connections, "database.max_overflow": 0 });
  config.pipeline.workers = 2;
  return { config, allotment: allotConnections(config), installation };
}

/** Waits until these children are there, and ready. */
async function ready(lineUp: LineUp, ids: string[]): Promise<Child[]> {
  const names = () => [...lineUp.children].map(({ workerId }) => workerId).sort();
  const wanted = ids.map((id) => `${supervisorId}/${id}`).sort();
  await waitFor(() => names().join() === wanted.join(), { what: `${wanted}` });
  const children = [...lineUp.children];
  await Promise.all(children.map((child) => child.ready));
  return children;
}

test("one child of each role is opened, and so many workers; ids are never used again", async (t) => {
  const { lineUp, exits } = lineUpOf(t);
  const generation = generationOf(await makeRelease(t, obedient));
  await lineUp.fill(generation, 2);
  const children = await ready(lineUp, ["o1", "w2", "w3"]);
  assert.equal(lineUp.workers(), 2);
  children.find(({ workerId }) => workerId.endsWith("w2"))?.kill("SIGKILL");
  await ready(lineUp, ["o1", "w3", "w4"]);
  assert.deepEqual(exits, [{ workerId: `${supervisorId}/w2`, asked: false }]);
});

test("children get their rank, and their share of the endpoints' limits anew when their number changes", async (t) => {
  const { lineUp } = lineUpOf(t);
  const generation = generationOf(await makeRelease(t, telling));
  await lineUp.fill(generation, 2);
  await ready(lineUp, ["o1", "w2", "w3"]);
  const ranks = () =>
    [...lineUp.children].map((child) => heardBy(child).find(({ rank }) => rank !== undefined));
  await waitFor(() => ranks().every((each) => each !== undefined), { what: "the settings" });
  assert.deepEqual(
    ranks()
      .map((each) => [each?.workerId, each?.rank])
      .sort(),
    [
      [`${supervisorId}/o1`, 0],
      [`${supervisorId}/w2`, 0],
      [`${supervisorId}/w3`, 1],
    ],
  );
  const shares = () => [...lineUp.children].map((child) => heardBy(child).at(-1)?.rpcShare);
  await waitFor(() => shares().every((share) => share === 1 / 3), { what: "a third for each" });
  await lineUp.resize(1, generation);
  await waitFor(() => shares().every((share) => share === 1 / 2), { what: "half for each" });
});

test("workers come and go by number, the newest first; what those that are gone completed still counts", async (t) => {
  const { lineUp, exits } = lineUpOf(t);
  const generation = generationOf(await makeRelease(t, telling));
  await lineUp.fill(generation, 1);
  await ready(lineUp, ["o1", "w2"]);
  await lineUp.resize(3, generation);
  await ready(lineUp, ["o1", "w2", "w3", "w4"]);
  const completed = () => lineUp.completed();
  await waitFor(() => completed() === 30, { what: "ten blocks of each" });
  await lineUp.resize(1, generation);
  await ready(lineUp, ["o1", "w2"]);
  assert.equal(completed(), 30);
  assert.deepEqual(exits.map(({ workerId, asked }) => `${workerId} ${asked}`).sort(), [
    `${supervisorId}/w3 true`,
    `${supervisorId}/w4 true`,
  ]);
});

test("a worker is recycled in its own place; one that is gone already is not", async (t) => {
  const { lineUp } = lineUpOf(t);
  const generation = generationOf(await makeRelease(t, obedient));
  await lineUp.fill(generation, 1);
  const worker = (await ready(lineUp, ["o1", "w2"])).find(({ role }) => role === "worker");
  assert(worker !== undefined);
  await lineUp.recycle(worker, generation);
  await ready(lineUp, ["o1", "w3"]);
  await lineUp.recycle(worker, generation);
  await ready(lineUp, ["o1", "w3"]);
});

test("a roll replaces each child by one of the next generation", async (t) => {
  const { lineUp } = lineUpOf(t);
  await lineUp.fill(generationOf(await makeRelease(t, obedient)), 1);
  await ready(lineUp, ["o1", "w2"]);
  await lineUp.rollTo(generationOf(await makeRelease(t, telling)), 1);
  const children = await ready(lineUp, ["o3", "w4"]);
  await waitFor(() => children.every((child) => heardBy(child).length > 0), { what: "the new release" });
});

test("a roll onto a release whose child ends at once is refused, and the old children stay", async (t) => {
  const { lineUp } = lineUpOf(t);
  await lineUp.fill(generationOf(await makeRelease(t, obedient)), 1);
  await ready(lineUp, ["o1", "w2"]);
  const broken = await makeRelease(t, `process.on("message", () => process.exit(1));`);
  await assert.rejects(lineUp.rollTo(generationOf(broken), 1), /a new orchestrator ended at once/);
  await ready(lineUp, ["o1", "w2"]);
});

test("where the connections do not suffice for both, the old child goes before the new one comes", async (t) => {
  for (const [connections, together] of [
    [50, true],
    [10, false],
  ] as const) {
    const { lineUp, exits } = lineUpOf(t);
    const generation = generationOf(await makeRelease(t, obedient), connections);
    await lineUp.fill(generation, 2);
    await ready(lineUp, ["o1", "w2", "w3"]);
    let most = 0;
    const watched = waitFor(
      () => {
        most = Math.max(most, lineUp.children.size);
        return exits.length === 3;
      },
      { what: "three exits", everyMs: 1 },
    );
    await lineUp.rollTo(generation, 2);
    await watched;
    assert.equal(most > 3, together, `with ${connections} connections`);
  }
});

test("where the release of a generation was taken away, a successor is forked from the newest", async (t) => {
  const newest = await makeRelease(t, telling);
  const { lineUp } = lineUpOf(t, { newestInstallation: () => newest });
  const installation = await makeRelease(t, obedient);
  await lineUp.fill(generationOf(installation), 1);
  const children = await ready(lineUp, ["o1", "w2"]);
  await rm(installation.code, { recursive: true });
  children.find(({ role }) => role === "worker")?.kill("SIGKILL");
  await ready(lineUp, ["o1", "w3"]);
  await waitFor(() => lineUp.completed() === 10, { what: "the newest release" });
});

test("a block that is announced is told to the worker that looks first", async (t) => {
  const { lineUp } = lineUpOf(t);
  const announcing = telling.replace(
    `if (message.type === "drain")`,
    `if (message.workerId === undefined && message.type === "start" && /orchestrator/.test(__filename))
       process.send({ type: "announced", number: 7, hash: "0x07" });
     if (message.type === "drain")`,
  );
  await lineUp.fill(generationOf(await makeRelease(t, announcing)), 2);
  const children = await ready(lineUp, ["o1", "w2", "w3"]);
  const told = () =>
    children
      .filter((child) => heardBy(child).some(({ number }) => number === 7))
      .map((child) => child.workerId);
  // The orchestrator may have told it before there was a worker; then nobody heard.
  await waitFor(() => told().length > 0, { what: "the block" });
  assert.deepEqual(told(), [`${supervisorId}/w2`]);
});

test("the worker that was loaded ahead comes first; one that died meanwhile is replaced under another id", async (t) => {
  const release = await makeRelease(t, obedient);
  const loadAhead = () => ({
    supervisorId,
    ...loadChild({ role: "worker", workerId: `${supervisorId}/w1`, installation: release, outputFd: 2 }),
  });
  const ahead = loadAhead();
  const { lineUp } = lineUpOf(t, { ahead });
  await lineUp.fill(generationOf(release), 2);
  const children = await ready(lineUp, ["w1", "o2", "w3"]);
  assert.equal(children.find(({ workerId }) => workerId.endsWith("w1"))?.pid, ahead.process.pid);

  const dead = loadAhead();
  const gone = new Promise((resolve) => dead.process.once("exit", resolve));
  dead.process.kill("SIGKILL");
  await gone;
  const second = lineUpOf(t, { ahead: dead });
  await second.lineUp.fill(generationOf(release), 1);
  await ready(second.lineUp, ["w2", "o3"]);
});
