import type { Command } from "commander";
import { requireKeys } from "../config/load.js";
import { type ServiceEnvironment, takeServiceEnvironment } from "../config/service.js";
import { ConfigError, describeError } from "../errors.js";
import { allotConnections } from "../supervisor/allot-connections.js";
import type { Checked } from "../supervisor/check-configuration.js";
import { loadFirstWorker } from "../supervisor/load-ahead.js";
import { noteStart } from "../supervisor/starts.js";
import { type Supervisor, startSupervisor } from "../supervisor/supervisor.js";
import { version } from "../version.js";
import { plural } from "../wording.js";
import { workers } from "./arguments.js";
import { formatBanner } from "./banner.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { serve } from "./service.js";
import type { GlobalOptions, Session } from "./session.js";
import { drainOnSignals } from "./signals.js";
import { tellWork } from "./tell-work.js";
import { createPaint } from "./terminal.js";

interface StartOptions extends GlobalOptions {
  check: boolean;
}

export function addStart(program: Command): void {
  program
    .command("start")
    .description("the daemon: follow the chain and work on jobs until SIGTERM or Ctrl-C")
    .option("-w, --workers <n>", "worker processes (pipeline.workers)", workers)
    .option("--check", "start nothing: check the configuration, with the endpoints and the schema", false)
    .addHelpText(
      "after",
      `
Forks an orchestrator, which follows the head and enqueues new blocks (pipeline.auto_enqueue), and the
workers, which sleep until a job is inserted. Several daemons may share a schema: they share its work.
SIGTERM or Ctrl-C: finish what is claimed, then end. A second one: give it back, and end at once.
A database or a node that is down is waited for. The log goes to standard output: lines for people on a
terminal, else a JSON object a line (--log json, --log pretty).

Examples:
  blockmill start -c mainnet.json
  blockmill start -c mainnet.json --workers 8
  blockmill start -c mainnet.json --set pipeline.auto_enqueue=false     only what people enqueue

From psql, while it runs:
  INSERT INTO processing_jobs (block_number) SELECT generate_series(1000000, 1001000);`,
    )
    .action(run(start, { logTo: process.stdout }));
}

/**
 * The daemon, until a signal ends it. A database or a node that is down is waited for; a configuration
 * or a schema that cannot work ends it with exit code 78.
 */
async function start(session: Session, options: StartOptions): Promise<number> {
  const { config, log, redact } = session;
  const service = takeServiceEnvironment();
  requireKeys(config, ["database.url", "rpc.urls"]);
  const { stateDirectory } = service;
  const starts =
    options.check || stateDirectory === undefined ? undefined : noteStart({ folder: stateDirectory, log });
  if (starts?.loop !== undefined) log.error({ alert: "crash_loop" }, redact(starts.loop));
  try {
    const code = await work(session, { options, service, restartLoop: starts?.loop });
    starts?.endedBy(null);
    return code;
  } catch (error) {
    starts?.endedBy(redact(describeError(error)));
    throw error;
  }
}

async function work(
  session: Session,
  {
    options,
    service,
    restartLoop,
  }: { options: StartOptions; service: ServiceEnvironment; restartLoop: string | undefined },
): Promise<number> {
  const { config, log, redact } = session;
  const ahead = options.check ? undefined : loadFirstWorker(1);
  let supervisor: Supervisor;
  try {
    // As in range.ts: loading viem takes long.
    const { checkPlace, provePlace } = await import("./preflight.js");
    if (options.check) {
      allotConnections(config);
      const { unreached } = await provePlace(session);
      // To the daemon that is to reload it; secrets go no other way.
      process.send?.({ type: "checked", config } satisfies Checked);
      const some = unreached === 0 ? "" : `, but ${plural(unreached, "endpoint")} cannot be reached`;
      process.stdout.write(`The configuration is in order${some}.\n`);
      return exitCodes.done;
    }
    const place = await checkPlace(session);
    if (session.logStyle.pretty !== undefined)
      process.stdout.write(formatBanner({ config, place, redact }, createPaint(process.stdout)));
    supervisor = startSupervisor({
      config,
      version,
      log: log.child({ component: "supervisor" }),
      redact,
      outputFd: 1,
      runtimeDirectory: service.runtimeDirectory,
      watchHead: service.notifyFd !== undefined,
      restartLoop,
      ahead,
    });
  } catch (error) {
    // It would keep this process from ending.
    ahead?.process.kill("SIGKILL");
    throw error;
  }
  const forgetSignals = drainOnSignals(supervisor);
  const leave = serve({ supervisor, service, log });
  const endTelling = session.logStyle.pretty === undefined ? () => {} : tellWork(supervisor, log);
  const { fatal } = await supervisor.ended.finally(() => {
    leave();
    endTelling();
    forgetSignals();
  });
  if (fatal !== undefined) throw new ConfigError(fatal);
  log.info("ended");
  return exitCodes.done;
}
