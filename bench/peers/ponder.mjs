// Ponder: its own program, in this process, on the project in ./ponder. What it stores of logs is what it
// can decode, and of transactions what emitted those: it has no way to ask for all of them.

import path from "node:path";
import { runPeer } from "./run-peer.mjs";

const root = path.join(import.meta.dirname, "ponder");

runPeer(async ({ settings, ready }) => {
  const { databaseUrl, nodeUrl, from, to } = settings;
  Object.assign(process.env, {
    DATABASE_URL: databaseUrl,
    BENCH_NODE_URL: nodeUrl,
    BENCH_FROM: String(from),
    BENCH_TO: String(to),
    PONDER_TELEMETRY_DISABLED: "true",
    DO_NOT_TRACK: "1",
  });
  await ready();
  const port = String(20_000 + (process.pid % 10_000));
  const command = ["start", "--root", root, "--schema", "public", "--port", port, "--log-format", "json"];
  process.argv = [process.argv[0], "ponder", ...command];
  await import("./node_modules/ponder/dist/esm/bin/ponder.js");
  // It goes on serving until it is killed.
  await new Promise(() => {});
});
