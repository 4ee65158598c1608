// Whoever looks at a daemon: Prometheus, and a page that is left open.

import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { read, scrape } from "./scrape.js";

/** Scrapes once a second, reads the status as often, and follows the events, until it is told to stop. */
export function watch(address: string): () => Promise<void> {
  const ended = new AbortController();
  let failure: unknown;
  const events = get(`http://${address}/api/events`, { agent: false }, (response) => {
    if (response.statusCode !== 200) failure = new Error(`/api/events answers ${response.statusCode}`);
    response.resume();
    // The end of it is ours.
    response.on("error", () => {});
  });
  events.on("error", (error) => {
    if (!ended.signal.aborted) failure = error;
  });
  const looking = (async () => {
    while (!ended.signal.aborted) {
      await Promise.all([scrape(address), read(address, "/api/status")]);
      await sleep(1_000, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  // Told of when it is stopped.
  looking.catch(() => {});
  return async () => {
    ended.abort();
    events.destroy();
    await looking;
    if (failure !== undefined) throw failure;
  };
}
