import type { Command } from "commander";
import { requireKeys } from "../config/load.js";
import { takeServiceEnvironment } from "../config/service.js";
import { UsageError } from "../errors.js";
import { allotConnections } from "../supervisor/allot-connections.js";
import { askToReload } from "../supervisor/control.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import type { Session } from "./session.js";

export function addReload(program: Command): void {
  program
    .command("reload")
    .description("what `systemctl reload` runs: check the configuration, then roll the daemon onto it")
    .addHelpText(
      "after",
      `
Checks the configuration first, with the endpoints and the schema; one that is wrong changes nothing.
Then the daemon replaces its children one by one, by the newest installed release with this configuration:
each new one is ready before its predecessor drains, and claims go on. Ends when that is done.
Runs inside of the service, where $RUNTIME_DIRECTORY names the daemon's control socket.

Example:
  systemctl reload blockmill@mainnet`,
    )
    .action(run(reload));
}

async function reload(session: Session): Promise<number> {
  const { config } = session;
  const { runtimeDirectory } = takeServiceEnvironment();
  if (runtimeDirectory === undefined) {
    throw new UsageError("reload: there is no $RUNTIME_DIRECTORY; run systemctl reload blockmill@NAME");
  }
  requireKeys(config, ["database.url", "rpc.urls"]);
  allotConnections(config, config.pipeline.workers);
  const { checkPlace } = await import("./preflight.js");
  await checkPlace(session);
  await askToReload(runtimeDirectory, config);
  return exitCodes.done;
}
