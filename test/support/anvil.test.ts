import assert from "node:assert/strict";
import { test } from "node:test";
import { startAnvil } from "./anvil.js";
import { alive, spawnProgram, waitFor } from "./process.js";
import { compiledTests } from "./project.js";

test("two chains run side by side, each with its own number", async (t) => {
  const [one, other] = await Promise.all([startAnvil(), startAnvil({ chainId: 5 })]);
  t.after(() => Promise.all([one.stop(), other.stop()]));
  assert.equal(await call(one.url, "eth_chainId"), "0x7a69");
  assert.equal(await call(other.url, "eth_chainId"), "0x5");

  await call(one.url, "anvil_mine", ["0x3"]);
  assert.equal(await call(one.url, "eth_blockNumber"), "0x3");
  assert.equal(await call(other.url, "eth_blockNumber"), "0x0");

  await one.stop();
  assert.equal(alive(one.pid), false);
});

test("a killed parent leaves no chain behind", async () => {
  const parent = await spawnProgram([], { script: `${compiledTests}support/owner-of-a-chain.js` });
  const pid = Number(await parent.line(/^\d+$/));
  assert.ok(alive(pid));
  await parent.kill("SIGKILL");
  await waitFor(() => !alive(pid), { what: "the chain to be gone" });
});

async function call(url: string, method: string, params: unknown[] = []): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return ((await response.json()) as { result?: unknown }).result;
}
