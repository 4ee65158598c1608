// The floor of following a head: a newHeads subscription, the block by its hash, one transaction.

import { once } from "node:events";
import pg from "pg";
import { WebSocket } from "ws";
import { createBareNode } from "./bare-node.js";
import { BareBatch } from "./bare-store.js";
import { runProgram } from "./run-program.js";

interface Push {
  params?: { result: { hash: string } };
}

runProgram<{ databaseUrl: string; nodeUrl: string }>(async ({ settings, ready, finish }) => {
  const client = new pg.Client({ connectionString: settings.databaseUrl, application_name: "bare head" });
  await client.connect();
  const fetchBlock = createBareNode(settings.nodeUrl);
  const socket = new WebSocket(settings.nodeUrl.replace("http:", "ws:"));
  await once(socket, "open");
  let storing = Promise.resolve();
  const store = async (hash: string): Promise<void> => {
    const batch = new BareBatch();
    batch.add(await fetchBlock(hash));
    await batch.commit(client);
  };
  socket.on("message", (data) => {
    const { params } = JSON.parse(String(data)) as Push;
    if (params !== undefined) storing = storing.then(() => store(params.result.hash));
  });
  socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
  await once(socket, "message");
  await ready();
  await new Promise((resolve) => finish.addEventListener("abort", resolve));
  await storing;
  socket.terminate();
  await client.end();
});
