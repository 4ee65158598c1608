// The fixture node run alone, as a benchmark or a person does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

test("run alone, it prints its addresses and is controlled over HTTP", async () => {
  const main = new URL("../../bench/fixture-node/main.js", import.meta.url);
  const flags = ["--transactions", "2,0", "--start", "100", "--head", "103", "--chain-id", "10"];
  const child = spawn(process.execPath, [main.pathname, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { urls, controlUrl } = JSON.parse(String(line)) as { urls: string[]; controlUrl: string };
    const url = urls[0] ?? "";
    assert.equal(await post(url, { jsonrpc: "2.0", id: 1, method: "eth_chainId" }), "0xa");
    for (const control of [controlUrl, `${url}/control`]) {
      assert.equal(((await post(control, { command: "head" })) as { number: number }).number, 103);
    }
    await post(`${url}/control`, { command: "mine", args: { blocks: 2 } });
    assert.equal(await post(url, { jsonrpc: "2.0", id: 1, method: "eth_blockNumber" }), "0x69");
    const counts = [];
    for (const number of ["0x64", "0x65", "0x66"]) {
      const params = [number, false];
      const block = await post(url, { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params });
      counts.push((block as { transactions: string[] }).transactions.length);
    }
    assert.deepEqual(counts, [2, 0, 2]);
    const refused = await fetch(controlUrl, { method: "POST", body: '{"command":"explode"}' });
    assert.equal(refused.status, 400);
  } finally {
    child.kill();
    await once(child, "exit");
  }
});

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return ((await response.json()) as { result: unknown }).result;
}
