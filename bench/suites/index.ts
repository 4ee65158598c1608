import type { Suite } from "../harness/suite.js";
import { backfill } from "./backfill.js";
import { backfillCpu } from "./backfill-cpu.js";
import { claimDepth } from "./claim-depth.js";
import { enqueue } from "./enqueue.js";
import { head } from "./head.js";
import { idle } from "./idle.js";
import { memory } from "./memory.js";
import { plan } from "./plan.js";
import { queueDrain } from "./queue-drain.js";
import { range20m } from "./range-20m.js";
import { status } from "./status.js";
import { wake } from "./wake.js";
import { wire } from "./wire.js";

/** Every benchmark, in the order of the table. */
export const suites: readonly Suite[] = [
  backfill,
  backfillCpu,
  wire,
  head,
  wake,
  queueDrain,
  enqueue,
  claimDepth,
  status,
  idle,
  memory,
  plan,
  range20m,
];
