import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { HostLease } from "../../src/supervisor/host-lease.js";
import type { Registration } from "../../src/supervisor/registration.js";
import { silent } from "../orchestrator/scene.js";
import { useQueue } from "../queue/queue-database.js";
import { waitFor } from "../support/process.js";
import { makeChild } from "./made-children.js";

const queue = useQueue();
const leaseMs = 3_000;

/** Holds the lease of a host, and writes down in which order everybody hears of it. */
function hold(t: TestContext) {
  const order: string[] = [];
  const child = makeChild({}, () => order.push("a child is told"));
  const release = new AbortController();
  const lease = new HostLease({
    supervisorId: "host.1.a",
    connection: {
      url: queue.url,
      schema: "public",
      applicationName: "blockmill host.1.a",
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 10_000,
    },
    leaseMs,
    children: new Set([child]),
    registration: {
      write: async (_sql: unknown, { mustWrite }: { mustWrite: boolean }) =>
        void order.push(`it is registered${mustWrite ? ", whatever changed" : ""}`),
    } as unknown as Registration,
    onPing: async () => void order.push("the ping is done"),
    log: silent,
    redact: (text) => text.replaceAll("administrator", "[secret]"),
    signal: release.signal,
  });
  t.after(async () => {
    release.abort();
    await lease.ended;
  });
  const pings = (count: number) =>
    waitFor(() => order.filter((each) => each === "the ping is done").length >= count, { what: "pings" });
  return { lease, order, child, pings, release };
}

test("a host is registered before its children hear of a lease that was taken; a renewed one they hear of first", async (t) => {
  const { lease, order, child, pings } = hold(t);
  assert(lease.forMs() <= 0);
  assert(lease.lostForMs() !== undefined, "it does not hold yet");
  assert.equal(lease.lostReason(), undefined);
  await pings(2);
  assert.deepEqual(order.slice(0, 6), [
    "it is registered, whatever changed",
    "a child is told",
    "the ping is done",
    "a child is told",
    "it is registered",
    "the ping is done",
  ]);
  const told = child.messages.flatMap((message) => (message.type === "lease" ? [message] : []));
  assert(told.every(({ validForMs }) => validForMs > 0 && validForMs <= leaseMs));
  assert.deepEqual(
    told.slice(0, 2).map(({ pulse }) => pulse),
    [false, true],
  );
  assert.equal(lease.lostForMs(), undefined);
});

test("a lease that was lost tells why, without secrets, until it is taken again", async (t) => {
  const { lease, pings, order } = hold(t);
  await pings(1);
  await queue.rows(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'blockmill host.1.a lease'`,
  );
  const reason = await waitFor(() => lease.lostReason(), { what: "the lease to be lost" });
  assert.match(reason, /\[secret\]/);
  assert(lease.lostForMs() !== undefined);
  const before = order.length;
  await waitFor(() => lease.lostForMs() === undefined, { what: "the lease to be taken again" });
  assert.equal(lease.lostReason(), undefined);
  assert.equal(order[before], "it is registered, whatever changed");
});

test("it is given up when its signal aborts: another may have it at once", async (t) => {
  const { lease, pings, release } = hold(t);
  await pings(1);
  release.abort();
  await lease.ended;
  const free = "select pg_try_advisory_xact_lock(hashtextextended('host.1.a', 0)) as free";
  await waitFor(async () => (await queue.rows<{ free: boolean }>(free))[0]?.free, { what: "the lock" });
});
