// What a client of hostile or half-dead endpoints may cost: memory, and nothing that stays open.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { startFixture } from "../support/fixture.js";

const fixture = await startFixture({ transactions: 2, head: 40, ports: 2 });

after(() => fixture.stop());

interface Report {
  rssBeforeMb: number;
  rssPeakMb: number;
  errors: string[];
  heads: number;
}

/** Runs the client in a process of its own; resolves with its report when it has ended by itself. */
async function runClient(task: "huge" | "follow", urls: string[]): Promise<Report> {
  const client = fork(new URL("./bounds-client.js", import.meta.url), [task, ...urls], {
    execArgv: ["--expose-gc"],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  const timer = setTimeout(() => client.kill("SIGKILL"), 30_000);
  const reported = once(client, "message") as Promise<[Report]>;
  const [code, signal] = (await once(client, "exit")) as [number | null, string | null];
  clearTimeout(timer);
  assert.equal(signal, null, "it did not end by itself");
  assert.equal(code, 0);
  return (await reported)[0];
}

test("a 100 MB answer costs no more memory than the bound allows", async () => {
  await fixture.mutate({ kind: "huge-body", method: "eth_getBlockByNumber", block: 20, count: 0 }, 0);
  const { rssBeforeMb, rssPeakMb, errors } = await runClient("huge", fixture.urls.slice(0, 1));
  await fixture.clearFaults();
  assert.equal(errors.length, 3);
  assert.ok(
    errors.every((each) => /larger/.test(each)),
    String(errors),
  );
  // Twice the bound is what was seen; the rest is for an allocator in no hurry.
  assert.ok(rssPeakMb - rssBeforeMb < 48, `${rssBeforeMb} to ${rssPeakMb} MB with a bound of 16`);
});

test("a client that has followed, fetched and met every kind of failure leaves nothing open", async () => {
  await fixture.setFaults({ hang: ["eth_getBlockReceipts"] }, 1);
  const { heads, errors } = await runClient("follow", [
    ...fixture.wsUrls,
    ...fixture.urls,
    "http://127.0.0.1:1",
    "ws://127.0.0.1:1",
  ]);
  await fixture.clearFaults();
  assert.ok(heads > 0);
  assert.deepEqual(errors, []);
});
