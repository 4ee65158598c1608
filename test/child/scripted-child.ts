// A child whose work is the name that its configuration gives: forked by run-child.test.ts.

import { runChild } from "../../src/child/run-child.js";
import { ConfigError } from "../../src/errors.js";

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

runChild("worker", async (context) => {
  const { settings, report, lease, draining, stopping } = context;
  switch (settings.config.database.schema) {
    case "waits for a lease":
      await lease.wait();
      report("working", { completed: lease.holds() ? 1 : 0 });
      await aborted(draining);
      return;
    case "tells what it hears": {
      context.gauge(() => ({ reason: "url hunter2hunter2" }));
      context.onShare((share) => report("idle", { completed: share }));
      context.onPulse(() => report("working"));
      context.onAnnounced((block) => context.announce(block));
      report("idle", { failed: 7 });
      await aborted(draining);
      return;
    }
    case "cannot work":
      throw new ConfigError("it cannot work, hunter2hunter2");
    case "breaks":
      throw new Error("broken");
    case "does not give back":
      report("working");
      await aborted(stopping);
      report("draining");
      await new Promise(() => setInterval(() => {}, 1_000));
      return;
  }
});
