import { readFile } from "node:fs/promises";
import pg from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../test/support/embedded-postgres.js";
import { projectRoot } from "../../test/support/project.js";

/** Durable, and alike for everybody who is measured. Stated in the report. */
export const serverSettings: Record<string, string> = {
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  shared_buffers: "512MB",
  max_wal_size: "4GB",
  // When a row was committed is read from the row: no watcher takes CPU from what is measured.
  track_commit_timestamp: "on",
  shared_preload_libraries: "pg_stat_statements",
  // For the statements of an idle daemon, which are counted in the server's log.
  log_line_prefix: "%a|",
};

/** The PostgreSQL that everything is measured on. */
export interface Server {
  description: string;
  /** The postmaster. */
  pid: number;
  logFile: string;
  /** A database with blockmill's schema in it, or with nothing; `drop` it when done. */
  database(options?: { empty?: boolean }): Promise<BenchDatabase>;
  /** A database that `prepare` fills once, for any number of copies. */
  template(
    options: { empty?: boolean },
    prepare: (database: BenchDatabase) => Promise<void>,
  ): Promise<DatabaseTemplate>;
  stop(): Promise<void>;
}

export interface BenchDatabase {
  url: string;
  name: string;
  /** For the benchmark's own statements. */
  pool: pg.Pool;
  /** Writes out what was prepared, and counts it, so that this does not fall into what is measured. */
  settle(): Promise<void>;
  drop(): Promise<void>;
}

export interface DatabaseTemplate {
  copy(): Promise<BenchDatabase>;
  drop(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  const server = await startEmbeddedPostgres({ settings: serverSettings });
  const admin = new pg.Pool({ connectionString: server.url, max: 1, allowExitOnIdle: true });
  const { rows } = await admin.query<{ version: string }>("select version()");
  const settings = Object.entries(serverSettings).filter(([name]) => !name.startsWith("log_"));
  let made = 0;
  return {
    description: `${rows[0]?.version}; ${settings.map(([name, value]) => `${name}=${value}`).join(", ")}`,
    pid: server.pid ?? 0,
    logFile: server.logFile,
    database: (options = {}) => {
      made += 1;
      return openDatabase({ server, admin, name: `bench_${made}`, ...options });
    },
    async template(options, prepare) {
      made += 1;
      const name = `bench_${made}`;
      const original = await openDatabase({ server, admin, name, ...options });
      await prepare(original);
      await original.settle();
      // A database with a session in it cannot be copied.
      await original.pool.end();
      return {
        copy: async () => {
          made += 1;
          const copy = await openDatabase({ server, admin, name: `bench_${made}`, from: name });
          await copy.pool.query("checkpoint");
          return copy;
        },
        drop: async () => {
          await admin.query(`drop database ${name} with (force)`);
        },
      };
    },
    async stop() {
      await admin.end();
      await server.destroy();
    },
  };
}

async function openDatabase({
  server,
  admin,
  name,
  empty = false,
  from,
}: {
  server: EmbeddedPostgres;
  admin: pg.Pool;
  name: string;
  empty?: boolean;
  /** The database to copy. */
  from?: string;
}): Promise<BenchDatabase> {
  await admin.query(
    `create database ${name} ${from === undefined ? "" : `template ${from} strategy file_copy`}`,
  );
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, application_name: "bench", max: 4 });
  pool.on("error", () => {});
  if (!empty && from === undefined) await pool.query(await readFile(`${projectRoot}schema.sql`, "utf8"));
  return {
    url: url.href,
    name,
    pool,
    async settle() {
      await pool.query("vacuum analyze");
      await pool.query("checkpoint");
    },
    async drop() {
      await pool.end();
      await admin.query(`drop database ${name} with (force)`);
    },
  };
}
