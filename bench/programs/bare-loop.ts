// The floor of a backfill: fetch 20 blocks one after another, parse, COPY, commit; nothing overlaps
// and nothing is checked.

import pg from "pg";
import { createBareNode } from "./bare-node.js";
import { BareBatch } from "./bare-store.js";
import { runProgram } from "./run-program.js";

const blocksPerCommit = 20;

runProgram<{ databaseUrl: string; nodeUrl: string; from: number; to: number }>(
  async ({ settings, ready }) => {
    const { databaseUrl, nodeUrl, from, to } = settings;
    const client = new pg.Client({ connectionString: databaseUrl, application_name: "bare loop" });
    await client.connect();
    const fetchBlock = createBareNode(nodeUrl);
    await ready();
    const batch = new BareBatch();
    for (let number = from; number <= to; number += 1) {
      batch.add(await fetchBlock(`0x${number.toString(16)}`));
      if ((number - from + 1) % blocksPerCommit === 0 || number === to) await batch.commit(client);
    }
    await client.end();
  },
);
