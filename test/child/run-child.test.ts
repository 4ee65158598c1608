// The life of a forked child, as its supervisor sees it.

import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { type FromChild, protocol, type ToChild } from "../../src/child/messages.js";
import { configOf } from "../orchestrator/scene.js";
import { waitFor } from "../support/process.js";

type Heartbeat = Extract<FromChild<"worker">, { type: "heartbeat" }>;

/** A child whose work is the script of that name (scripted-child.ts). */
function forkScript(t: TestContext, script: string, { spoken = protocol } = {}) {
  const child: ChildProcess = fork(new URL("./scripted-child.js", import.meta.url), [], { silent: true });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const said: FromChild<"worker">[] = [];
  child.on("message", (message) => said.push(message as FromChild<"worker">));
  let log = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const send = (message: ToChild) => void child.send(message);
  const config = configOf({ "database.url": "postgresql://someone:hunter2hunter2@host/chain" });
  config.database.schema = script;
  send({
    type: "start",
    protocol: spoken,
    settings: { config, workerId: "a/w1", pool: { min: 0, max: 1 }, rpcShare: 1 },
  });
  return {
    child,
    send,
    said,
    log: () => log,
    exited,
    heartbeat: (matches: (beat: Heartbeat) => boolean) =>
      waitFor(() => said.find((each): each is Heartbeat => each.type === "heartbeat" && matches(each)), {
        what: "a heartbeat",
      }),
    types: () => said.map(({ type }) => type),
  };
}

test("a child lives from its first heartbeat on, is ready when it reports, and ends with code 0 when its work does", async (t) => {
  const { heartbeat, types, send, exited } = forkScript(t, "waits for a lease");
  const first = await heartbeat(() => true);
  assert.equal(first.state, "starting");
  await heartbeat(({ state }) => state === "waiting");
  assert.equal(types().filter((type) => type === "ready").length, 1);
  send({ type: "lease", validForMs: 60_000 });
  const working = await heartbeat(({ state }) => state === "working");
  assert.equal(working.doing.completed, 1);
  assert((working.doing.memoryMb ?? 0) > 0);
  send({ type: "drain" });
  assert.deepEqual(await exited, [0, null]);
});

test("a wait for the lease ends with the drain, though there is none", async (t) => {
  const { heartbeat, send, exited } = forkScript(t, "waits for a lease");
  await heartbeat(({ state }) => state === "waiting");
  send({ type: "drain" });
  assert.deepEqual(await exited, [0, null]);
});

test("shares, pulses and announced blocks reach the work; heartbeats have its gauges, without secrets", async (t) => {
  const { heartbeat, send, said } = forkScript(t, "tells what it hears");
  const idle = await heartbeat(({ doing }) => doing.failed === 7);
  assert.equal(idle.doing.reason?.includes("hunter2"), false);
  assert.match(idle.doing.reason ?? "", /^url /);
  send({ type: "share", rpcShare: 0.5 });
  await heartbeat(({ doing }) => doing.completed === 0.5);
  send({ type: "lease", validForMs: 60_000 });
  send({ type: "lease", validForMs: 60_000, pulse: true });
  await heartbeat(({ state }) => state === "working");
  send({ type: "announced", number: 7, hash: "0x07" });
  await waitFor(() => said.find(({ type }) => type === "announced"), { what: "the block" });
  send({ type: "of another version" } as unknown as ToChild);
  send({ type: "drain" });
});

test("what makes work impossible is told, without secrets, and any other failure is only logged; both end with code 1", async (t) => {
  const impossible = forkScript(t, "cannot work");
  assert.deepEqual(await impossible.exited, [1, null]);
  const fatal = impossible.said.find((each) => each.type === "fatal");
  assert.match(fatal?.type === "fatal" ? fatal.message : "", /^it cannot work, (?!hunter2)/);
  const broken = forkScript(t, "breaks");
  assert.deepEqual(await broken.exited, [1, null]);
  assert(!broken.types().includes("fatal"));
  await waitFor(() => broken.log().includes('"msg":"broken"'), { what: "the line" });
});

test("a supervisor that speaks another protocol is refused, with what to do", async (t) => {
  const { exited, said } = forkScript(t, "waits for a lease", { spoken: protocol + 1 });
  assert.deepEqual(await exited, [1, null]);
  assert.deepEqual(
    said.map((each) => each.type === "fatal" && /restart the daemon/.test(each.message)),
    [true],
  );
});

test("a signal means nothing to a child; it stops when it is told to, or when its supervisor is gone, however long it takes", async (t) => {
  for (const leave of ["stop", "disconnect"] as const) {
    const { child, heartbeat, send, exited } = forkScript(t, "does not give back");
    await heartbeat(({ state }) => state === "working");
    child.kill("SIGTERM");
    child.kill("SIGINT");
    if (leave === "stop") {
      send({ type: "stop" });
      await heartbeat(({ state }) => state === "draining");
    } else child.disconnect();
    // It gives nothing back, and ends all the same.
    assert.deepEqual(await exited, [1, null]);
  }
});
