import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createEvents, type EventsOptions } from "../../src/web/events.js";
import { waitFor } from "../support/process.js";

async function scene(t: TestContext, options: Partial<EventsOptions> = {}) {
  let reads = 0;
  const seen: string[] = [];
  const events = createEvents({
    read: async () => {
      reads += 1;
      return { reads };
    },
    everyMs: 10,
    heartbeatMs: 10,
    onLast: () => seen.push("last"),
    ...options,
  });
  const server = createServer((_, response) => events.add(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const watch = async () => {
    const [response] = (await once(get({ port, host: "127.0.0.1", agent: false }), "response")) as [
      IncomingMessage,
    ];
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("error", () => {});
    return { response, text: () => text };
  };
  return { events, watch, seen, reads: () => reads };
}

test("each viewer is told the status again and again, and that the connection lives; nothing is read without a viewer", async (t) => {
  const { watch, events, seen, reads } = await scene(t);
  assert.equal(reads(), 0);
  const [one, other] = [await watch(), await watch()];
  for (const { response, text } of [one, other]) {
    assert.match(String(response.headers["content-type"]), /^text\/event-stream/);
    assert.equal(response.headers["x-accel-buffering"], "no");
    await waitFor(() => text().split("event: status\n").length > 3, { what: "several events" });
    await waitFor(() => text().includes(": still here\n\n"), { what: "a heartbeat" });
    assert.match(text(), /^event: status\ndata: \{"reads":\d+\}$/m);
  }
  events.tell("reorg", { a: 1 });
  await waitFor(() => one.text().includes('event: reorg\ndata: {"a":1}\n\n'), { what: "what was told" });
  one.response.destroy();
  other.response.destroy();
  await waitFor(() => events.viewers === 0, { what: "their leaving" });
  assert.deepEqual(seen, ["last"]);
  const before = reads();
  const again = await watch();
  await waitFor(() => reads() > before, { what: "a read for the next one" });
  again.response.destroy();
});

test("more viewers than there may be are refused, and one that leaves makes room", async (t) => {
  const { watch, events } = await scene(t, { most: 1 });
  const one = await watch();
  const refused = await watch();
  assert.deepEqual([one.response.statusCode, refused.response.statusCode], [200, 503]);
  one.response.destroy();
  await waitFor(() => events.viewers === 0, { what: "its leaving" });
  assert.equal((await watch()).response.statusCode, 200);
});

test("where nothing can be read, viewers are told so", async (t) => {
  const { watch } = await scene(t, { read: () => Promise.reject(new Error("away")) });
  const { text } = await watch();
  await waitFor(() => text().includes('event: unavailable\ndata: {"error":"away"}\n\n'), {
    what: "the word",
  });
});
