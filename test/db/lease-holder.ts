// A process that holds a lease and says what happens to it, a line each. Its options come as JSON in
// LEASE_OPTIONS.

import { holdLease, type LeaseOptions } from "../../src/db/lease.js";

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const ends = new AbortController();
process.on("SIGTERM", () => ends.abort());

await holdLease({
  ...(JSON.parse(process.env.LEASE_OPTIONS ?? "{}") as LeaseOptions),
  signal: ends.signal,
  onHeld: (_session, event) => say(event),
  onLost: () => say("lost"),
  onRefused: () => say("refused"),
});
say("ended");
