import type { Seen } from "../../../src/orchestrator/alerts/seen.js";

/** What a leader sees where all is well. */
export const seenWell: Seen = {
  isPaused: false,
  follows: true,
  waiting: 0,
  waitingIsAtLeast: false,
  waitingSeconds: null,
  isRangeOpen: false,
  failed: 0,
  failedIsAtLeast: false,
  oldestClaim: null,
  sinceCompletionSeconds: 5,
  head: { number: 1_000, ageSeconds: 6, seenAgeSeconds: 5 },
  newest: { number: 1_000, ageSeconds: 6 },
  blockSeconds: 12,
  failingHeads: [],
  recent: { windowSeconds: 300, completed: 25, failures: {}, isBacklogGrowing: false, deaths: 0 },
  processes: [
    { workerId: "a", role: "supervisor", state: "working", hostname: "h", version: "1", doing: {} },
    { workerId: "a/w1", role: "worker", state: "idle", hostname: "h", version: "1", doing: {} },
  ],
  endpoints: [{ name: "node", state: "up", reason: null, aside: false, silentMs: null }],
  lockWait: null,
  server: {
    oldTransaction: null,
    notificationQueue: 0,
    connections: { taken: 20, most: 97 },
    schemaVersion: 2,
    deepestReorg: { depth: 1, forkBlock: 900 },
    backupDays: 0.5,
    verificationDays: 0.5,
  },
  disk: { bytes: 4e11, capacity: 2e12, bytesPerDay: 1e9 },
};
