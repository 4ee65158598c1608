import type { Command } from "commander";
import { takeServiceEnvironment } from "../config/service.js";
import { describeError, UsageError } from "../errors.js";
import { askToReload } from "../supervisor/control.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";

export function addReload(program: Command): void {
  program
    .command("reload")
    .description("what `systemctl reload` runs: let the daemon go over to its configuration as it is now")
    .addHelpText(
      "after",
      `
The daemon lets the newest installed release check the configuration first, with the endpoints and the
schema; one that is wrong changes nothing. Then it replaces its children one by one, by that release with
that configuration: each new one is ready before its predecessor drains, and claims go on. Ends when that
is done, or fails with the reason. Runs inside of the service, where $RUNTIME_DIRECTORY names the daemon's
control socket, and needs no configuration itself.

Example:
  systemctl reload blockmill@mainnet`,
    )
    .action(async () => {
      process.exitCode = await reload();
    });
}

async function reload(): Promise<number> {
  try {
    const { runtimeDirectory } = takeServiceEnvironment();
    if (runtimeDirectory === undefined) {
      throw new UsageError("reload: there is no $RUNTIME_DIRECTORY; run systemctl reload blockmill@NAME");
    }
    await askToReload(runtimeDirectory);
    return exitCodes.done;
  } catch (error) {
    // systemctl shows the unit's journal: this line is the reason that people look for.
    process.stderr.write(`blockmill: ${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}
