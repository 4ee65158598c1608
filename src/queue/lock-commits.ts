import type { Statement } from "../db/exchange.js";
import type { Tx } from "../db/pool.js";

// A lock on a table takes the right to write it, other than an advisory lock, which anybody may hold. Nobody else locks
// this one but who pauses or resumes, for a moment; a backup, and whoever reads it, is in nobody's way.

/** Until the transaction ends, commits that go alone wait for this one. */
export function shareCommits(): Statement<void> {
  return {
    query: { name: "share_commits", text: "lock table processing_control in row share mode" },
    read: () => {},
  };
}

/**
 * Waits until no other commit is under way, and has all others wait until the transaction ends. To be taken before the
 * locks of jobs, which those others hold.
 */
export async function lockCommits(tx: Tx): Promise<void> {
  await tx.query("lock table processing_control in exclusive mode");
}
