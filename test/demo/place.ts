// Where the demo works: a PostgreSQL server of its own, and a folder for the configuration and the log.

import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { programFile } from "../support/project.js";
import { startWatchdog } from "../support/watchdog.js";

export interface DemoPlace {
  /** Of the superuser. The server is thrown away with the demo, so its password is no secret. */
  databaseUrl: string;
  postgresVersion: string;
  pool: pg.Pool;
  configFile: string;
  logFile: string;
  close(): Promise<void>;
}

/**
 * Starts PostgreSQL, writes the configuration of a `blockmill` that works there, and lets `blockmill
 * init` create the tables. `config` is what the configuration says beside database.url.
 */
export async function openPlace(config: Record<string, object>): Promise<DemoPlace> {
  // pg_xact_commit_timestamp tells to the microsecond when a block was committed.
  const postgres = await startEmbeddedPostgres({ settings: { track_commit_timestamp: "on" } });
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-demo-"));
  const watchdog = startWatchdog({ signal: "TERM", remove: [folder] });
  const pool = new pg.Pool({
    connectionString: postgres.url,
    application_name: "blockmill-demo",
    max: 2,
  });
  // The server going away under an idle connection is met by the next query.
  pool.on("error", () => {});
  const close = async (): Promise<void> => {
    await pool.end();
    await postgres.destroy();
    await watchdog.close();
  };
  try {
    const configFile = path.join(folder, "demo.json");
    const whole = { ...config, database: { ...config.database, url: postgres.url } };
    // An endpoint's URL may hold a key.
    await writeFile(configFile, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 });
    await initialise(configFile);
    const { rows } = await pool.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    return {
      databaseUrl: postgres.url,
      postgresVersion: rows[0]?.version ?? "",
      pool,
      configFile,
      logFile: path.join(folder, "blockmill.log"),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function initialise(configFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [programFile, "-c", configFile, "init"], (error, _stdout, stderr) => {
      if (error) reject(new Error(`blockmill init failed: ${stderr.trim() || error.message}`));
      else resolve();
    });
  });
}
