// How fast the fixture node serves: getBlock and getBlockReceipts of one block after another, over
// keep-alive connections, from this process. Prints one line of JSON.
//   node dist/bench/fixture-node/serve-rate.js [--transactions 150] [--blocks 200] [--connections 16] [--seconds 5]
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { parseArgs } from "node:util";
import { quantity } from "./hex.js";
import type { Ready } from "./protocol.js";

const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
const { values } = parseArgs({
  options: {
    transactions: text("150"),
    blocks: text("200"),
    connections: text("16"),
    seconds: text("5"),
  },
});
const blocks = Number(values.blocks);
const main = new URL("./main.js", import.meta.url);
const options = JSON.stringify({ transactions: Number(values.transactions), blocks, recordCalls: false });
const child = fork(main, ["--options", options]);
const [{ urls, controlUrl }] = (await once(child, "message")) as [Ready];
const agent = new Agent({ keepAlive: true, maxSockets: Number(values.connections) });

await measure(1_000);
console.log(JSON.stringify(await measure(Number(values.seconds) * 1_000)));
agent.destroy();
child.disconnect();

async function measure(durationMs: number) {
  const cpuBefore = await serverCpuMs();
  const started = performance.now();
  let requests = 0;
  let bytes = 0;
  let next = 1;
  const connection = async () => {
    while (performance.now() - started < durationMs) {
      const number = quantity(1 + (next++ % (blocks - 1)));
      const block = await post(urls[0] ?? "", call("eth_getBlockByNumber", [number, true]));
      const receipts = await post(urls[0] ?? "", call("eth_getBlockReceipts", [number]));
      bytes += block + receipts;
      requests += 2;
    }
  };
  await Promise.all(Array.from({ length: Number(values.connections) }, connection));
  const seconds = (performance.now() - started) / 1_000;
  const cpuMs = (await serverCpuMs()) - cpuBefore;
  return {
    transactions: Number(values.transactions),
    connections: Number(values.connections),
    requestsPerSecond: Math.round(requests / seconds),
    blocksPerSecond: Math.round(requests / 2 / seconds),
    megabytesPerSecond: Math.round(bytes / 1e6 / seconds),
    kilobytesPerBlock: Math.round(bytes / 1e3 / (requests / 2)),
    serverCpuMsPerBlock: Number((cpuMs / (requests / 2)).toFixed(3)),
  };
}

async function serverCpuMs(): Promise<number> {
  const response = await fetch(controlUrl, { method: "POST", body: '{"command":"cpu"}' });
  const { result } = (await response.json()) as { result: { user: number; system: number } };
  return (result.user + result.system) / 1_000;
}

function call(method: string, params: unknown[]): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
}

/** Posts and counts the bytes of the answer, without looking at them. */
function post(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", agent }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("end", () => resolve(bytes));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
