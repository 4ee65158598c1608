import type { Suite } from "../harness/suite.js";
import { backfill } from "./backfill.js";
import { claimDepth } from "./claim-depth.js";
import { enqueue } from "./enqueue.js";
import { queueDrain } from "./queue-drain.js";
import { range20m } from "./range-20m.js";

/** Every benchmark, in the order of the table. */
export const suites: readonly Suite[] = [backfill, queueDrain, enqueue, claimDepth, range20m];
