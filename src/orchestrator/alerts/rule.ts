import type { AlertPriority } from "../../queue/alerts.js";
import type { Seen } from "./seen.js";

/** One thing that may go wrong: what it looks at, and what a person is told to do. */
export interface Rule {
  priority: AlertPriority;
  /** What is below the threshold is wrong, not what is above it. */
  firesBelow?: true;
  /**
   * What is wrong, in a sentence, and what to do; null: nothing is; undefined: it cannot be told at the moment, and
   * whatever was so stays so. `limit`: the rule's threshold, a tenth easier to pass while the alert is open. Absent: who
   * notices it raises it and clears it (board.ts).
   */
  look?(seen: Seen, limit: number): string | null | undefined;
}
