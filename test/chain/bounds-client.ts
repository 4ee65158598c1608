// The client of bounds.test.ts, in a process of its own: it must end by itself when it has closed.

import { fetchBlock } from "../../src/chain/endpoint/fetch-block.js";
import { createEndpoints } from "../../src/chain/endpoints.js";
import { followHeads } from "../../src/chain/heads/follow-heads.js";

const [task, ...urls] = process.argv.slice(2);
const errors: string[] = [];
process.on("warning", (warning) => errors.push(String(warning)));
process.on("unhandledRejection", (error) => errors.push(`unhandled: ${error}`));
process.on("uncaughtException", (error) => errors.push(`uncaught: ${error}`));

const endpoints = createEndpoints({
  endpoints: urls.map((url, i) => ({
    url,
    name: `e${i}`,
    timeoutMs: 5_000,
    maxResponseBytes: 16 * 1_048_576,
  })),
});
const rssMb = () => process.memoryUsage.rss() / 1_048_576;
let rssPeakMb = 0;
const watch = setInterval(() => {
  rssPeakMb = Math.max(rssPeakMb, rssMb());
}, 5);
let rssBeforeMb = rssMb();
let heads = 0;

if (task === "huge") {
  await endpoints.ready("e0");
  globalThis.gc?.();
  rssBeforeMb = rssMb();
  for (let i = 0; i < 3; i += 1) {
    const [endpoint] = endpoints.all;
    // What counts is what is held, not what the collector has not come to yet.
    globalThis.gc?.();
    if (endpoint === undefined) break;
    await fetchBlock(endpoint, { number: 20, hash: null }).catch((error: Error) =>
      errors.push(error.message),
    );
  }
} else {
  const ended = new AbortController();
  const following = followHeads(endpoints, {
    pollMs: 1_000,
    onHead: () => {
      heads += 1;
    },
    onTags: () => {},
    onLost: () => {},
    signal: ended.signal,
  });
  const fetching = Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      endpoints.tryEach((endpoint, signal) => fetchBlock(endpoint, { number: i, hash: null }, signal)),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  ended.abort();
  await endpoints.close();
  await following;
  await fetching;
}
clearInterval(watch);
await endpoints.close();
process.send?.({ rssBeforeMb, rssPeakMb, errors, heads });
process.disconnect();
