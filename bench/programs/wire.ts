// Asks one server again and again, several requests at a time; the result is the CPU of one request, in milliseconds.

import { Agent, request } from "node:http";
import { createUndiciWire } from "../../src/chain/endpoint/undici-wire.js";
import { runProgram } from "./run-program.js";

interface Settings {
  url: string;
  by: "node:http" | "blockmill";
  requests: number;
  atOnce: number;
}

const call = { method: "eth_getBlockByNumber", params: ["0x1234", true] };

runProgram<Settings>(async ({ settings: { url, by, requests, atOnce }, ready }) => {
  const ask = by === "blockmill" ? askByWire(url) : askByNode(url);
  const askTimes = async (times: number): Promise<void> => {
    let left = times;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await ask();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  };
  await askTimes(requests / 4);
  await ready();
  const before = process.cpuUsage();
  await askTimes(requests);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / requests;
});

function askByWire(url: string): () => Promise<unknown> {
  const wire = createUndiciWire({ url, name: "bench", maxResponseBytes: 10_000_000 });
  return async () => wire.sendForBytes?.(call, { timeoutMs: 60_000 });
}

/** Keeps the pieces of the answer, as the wire does. */
function askByNode(url: string): () => Promise<unknown> {
  const agent = new Agent({ keepAlive: true, scheduling: "lifo" });
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...call });
  return () =>
    new Promise<unknown>((resolve, reject) => {
      const outgoing = request(url, { method: "POST", agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(chunks));
        response.on("error", reject);
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
}
