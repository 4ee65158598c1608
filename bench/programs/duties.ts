// What an orchestrator does beside a queue that is drained: its own duties (archive with history, top
// ranges up, sweep, promote) as the configuration's defaults have them. Until it is asked to end.

import { loadConfig } from "../../src/config/load.js";
import { createPool } from "../../src/db/pool.js";
import { createLogger } from "../../src/logger.js";
import { createDuties } from "../../src/orchestrator/duties.js";
import { runDuties } from "../../src/orchestrator/run-duties.js";
import { poolOptions } from "./pool-options.js";
import { runProgram } from "./run-program.js";

runProgram<{ databaseUrl: string }>(async ({ settings, ready, finish }) => {
  const { config } = loadConfig({ env: {} });
  const pool = createPool({ ...poolOptions(settings.databaseUrl), min: 1, max: 1 });
  const log = createLogger({
    component: "bench",
    level: "warn",
    redact: (text) => text,
    output: process.stderr,
  });
  await pool.query("select 1");
  await ready();
  const { done } = runDuties({
    duties: createDuties({ pool, config, log, ownSupervisor: () => undefined, reconnectedAt: undefined }),
    signal: finish,
    // Without them the figures would be of something else.
    onError(duty, error) {
      throw new Error(`the duty "${duty.name}" failed`, { cause: error });
    },
  });
  await done;
  await pool.end();
});
