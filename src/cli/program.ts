// Every command, one file each: what --help, the manual and the completion are made of.

import { Command } from "commander";
import { version } from "../version.js";
import { addAlerts } from "./alerts.js";
import { addBackup } from "./backup.js";
import { addCancel } from "./cancel.js";
import { addCleanup } from "./cleanup.js";
import { addConfig } from "./config.js";
import { addDecode } from "./decode.js";
import { addDisk } from "./disk.js";
import { addEnqueue } from "./enqueue.js";
import { addErrors } from "./errors.js";
import { addGaps } from "./gaps.js";
import { addGrant } from "./grant.js";
import { addIndex } from "./index-tables.js";
import { addInit } from "./init.js";
import { addPause, addResume } from "./pause.js";
import { addQuery } from "./query.js";
import { addRange } from "./range.js";
import { addReload } from "./reload.js";
import { addRemove } from "./remove.js";
import { addRestore } from "./restore.js";
import { addRetry } from "./retry.js";
import { addSingle } from "./single.js";
import { addStart } from "./start.js";
import { addStatus } from "./status.js";
import { addVerify } from "./verify.js";
import { addWhy } from "./why.js";

/** The program: parses arguments, and runs what they ask for. */
export function createProgram(): Command {
  const program = new Command("blockmill")
    .description(
      "Turns an EVM chain into PostgreSQL rows. Every block is a job in the table processing_jobs.",
    )
    .version(version)
    .option("-c, --config <file>", "the configuration, as JSON (also $BLOCKMILL_CONFIG)")
    .option(
      "--set <key=value>",
      "any key of the configuration; may be given again",
      (text, before: string[] = []) => [...before, text],
    )
    .option("--log <format>", "log.format: json, pretty, or auto (pretty where it goes to a terminal)")
    .option("--log-level <level>", "log.level")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(complaint(text)) })
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      `
A first run:
  export BLOCKMILL_DATABASE_URL=postgresql://user:password@localhost/chain   BLOCKMILL_RPC_URLS=https://...
  blockmill init            create the tables
  blockmill range 0 999     fetch the first thousand blocks
  blockmill start           follow the chain, and work on whatever is inserted into processing_jobs
  blockmill status          see how it goes

Exit codes: 0 done, 1 some blocks failed, 2 usage, 69 the database or the node cannot be reached,
70 a defect of blockmill, 78 the configuration or the schema is wrong, 130 interrupted.`,
    );
  for (const add of [
    addInit,
    addStart,
    addRange,
    addSingle,
    addEnqueue,
    addStatus,
    addAlerts,
    addWhy,
    addQuery,
    addErrors,
    addDisk,
    addGaps,
    addVerify,
    addRetry,
    addCancel,
    addRemove,
    addPause,
    addResume,
    addGrant,
    addIndex,
    addDecode,
    addBackup,
    addRestore,
    addCleanup,
    addConfig,
    addReload,
  ]) {
    add(program);
  }
  return program;
}

/** commander's complaint in one line. */
function complaint(text: string): string {
  return `${text
    .trim()
    .replace(/^error: /, "blockmill: ")
    .replace(/\s*\n\s*/g, " ")}\n`;
}
