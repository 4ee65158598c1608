// The fixture node: a process that serves a deterministic, mainnet-like chain over JSON-RPC, with right
// hashes, roots and blooms. For tests (reorgs, hostile answers, faults) and for benchmarks.
//
// Alone:
//   node dist/bench/fixture-node/main.js --port 8545 --transactions 150 --blocks 1000
//     --port N           of the first endpoint (default: any free one)      --ports N   endpoints
//     --transactions N   per block, or a list that is repeated: 0,150,300   --logs N    mean per transaction
//     --blocks N         build so many ahead into os.tmpdir(); a later run with the same options finds them
//     --start N          the first block's number    --head N    --seed N   --chain-id N
//     --eras prague|compressed|mainnet      --signatures real|random        --auto-mine MS
//     --options JSON     a FixtureOptions (protocol.ts); the flags above win over it
//   It prints its addresses as JSON, {"controlUrl": ..., "urls": [...]}, and runs until it is killed. Forked,
//   it sends them over IPC and exits when its parent goes.
//
// JSON-RPC: POST / of an endpoint, single calls and batches; WebSocket on the same port, with
// eth_subscribe newHeads.
//
// Control: POST {"command": NAME, "args": {...}} to /control of an endpoint, or to the control URL, which
// answers while every endpoint is down. The answer is {"result": ...}, or status 400 and {"error": ...}.
// Commands, their arguments and results are the interface Commands in protocol.ts; for instance
//   {"command": "reorg", "args": {"depth": 3, "length": 5}}
//   {"command": "setFaults", "args": {"endpoint": 0, "faults": {"latencyMs": 50, "headLag": 2}}}
//   {"command": "mutate", "args": {"mutation": {"method": "eth_getBlockReceipts", "kind": "drop-log"}}}
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import type { EraPreset } from "./eras.js";
import { FixtureNode } from "./fixture-node.js";
import type { FixtureOptions, Ready } from "./protocol.js";

const { options, autoMineMs } = readArguments();
/** Fifty lines at most. */
const toldEvery = Math.max(100, Math.ceil((options.blocks ?? 0) / 50));
const node = new FixtureNode(options, (built) => {
  if (built % toldEvery === 0) process.stderr.write(`built ${built} of ${options.blocks} blocks\n`);
});
const urls: string[] = [];
for (let i = 0; i < (options.ports ?? 1); i += 1) {
  const port = i === 0 && options.port ? { port: options.port } : {};
  urls.push((await node.addEndpoint({ ...port, faults: { ...options.faults } })).url);
}
if (autoMineMs !== undefined) {
  await node.control(JSON.stringify({ command: "autoMine", args: { intervalMs: autoMineMs } }));
}
const ready: Ready = { controlUrl: await serveControl(node), urls };
if (process.send) {
  process.on("disconnect", () => process.exit(0));
  process.send(ready);
} else {
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

async function serveControl(node: FixtureNode): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, body } = await node.control(Buffer.concat(chunks).toString());
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  server.keepAliveTimeout = 300_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/control`;
}

function readArguments(): { options: FixtureOptions; autoMineMs: number | undefined } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      port: text,
      ports: text,
      transactions: text,
      logs: text,
      blocks: text,
      start: text,
      head: text,
      seed: text,
      "chain-id": text,
      eras: text,
      signatures: text,
      "auto-mine": text,
      options: text,
    },
  });
  const number = (name: string, value: string | undefined) =>
    value === undefined ? {} : { [name]: Number(value) };
  const counts = values.transactions?.split(",").map(Number);
  const options: FixtureOptions = {
    // A benchmark asks for far more calls than anyone will look at.
    recordCalls: process.send !== undefined,
    ...(values.options !== undefined && (JSON.parse(values.options) as FixtureOptions)),
    ...number("port", values.port),
    ...number("ports", values.ports),
    ...number("logsPerTransaction", values.logs),
    ...number("blocks", values.blocks),
    ...number("start", values.start),
    ...number("head", values.head),
    ...number("seed", values.seed),
    ...number("chainId", values["chain-id"]),
    ...(counts && { transactions: counts.length === 1 ? (counts[0] ?? 0) : counts }),
    ...(values.eras !== undefined && { eras: values.eras as EraPreset }),
    ...(values.signatures !== undefined && { signatures: values.signatures as "real" | "random" }),
  };
  const autoMine = values["auto-mine"];
  return { options, autoMineMs: autoMine === undefined ? undefined : Number(autoMine) };
}
