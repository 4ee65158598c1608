// A machine as its users have it: Debian with systemd and PostgreSQL, the package to install, and a node.

import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { type Fixture, startFixture } from "../support/fixture.js";
import { freePort } from "../support/free-port.js";
import { bootSystemd, type Systemd, whyNoSystemd } from "../support/nspawn.js";
import { waitFor } from "../support/process.js";
import { compiledTests, projectRoot } from "../support/project.js";
import { startWatchdog, temporaryPath } from "../support/watchdog.js";

export interface Scene extends Systemd {
  fixture: Fixture;
  /** Of the database, as the daemon and we reach it. */
  databaseUrl: string;
  /** The package of this checkout, and one that calls itself newer; inside of the container. */
  packages: { now: string; next: string };
  /** Lintian's complaints about the package, if lintian is installed. */
  lintian: Promise<string | undefined>;
  /** How much slower this machine is at this moment than one that has nothing else to do; at least 1. */
  slowness(): Promise<number>;
  /** The rows of a query. */
  sql<Row extends pg.QueryResultRow>(query: string, values?: unknown[]): Promise<Row[]>;
  /** Stops or starts PostgreSQL. */
  postgres(verb: "stop" | "start"): Promise<void>;
  /** Writes /etc/blockmill/NAME.json: the database and the node, over which `settings` goes. */
  configure(name: string, settings?: Record<string, object>): Promise<void>;
  /** A property of a unit, as `systemctl show` says it. */
  property(unit: string, name: string): Promise<string>;
}

/** The version that the newer package claims. */
export const nextVersion = "99.0.0";

/** Why there can be no such machine here; undefined: there can. */
export function whyNoScene(): string | undefined {
  const reason = whyNoSystemd();
  if (reason !== undefined) return reason;
  if (postgresPrograms() === undefined) return "no PostgreSQL of Debian: apt-get install postgresql";
  const missing = ["gcc", "strip", "dpkg-deb", "apt-get", "psql"].find(
    (name) => !existsSync(`/usr/bin/${name}`),
  );
  return missing === undefined ? undefined : `no ${missing} to build or install the package with`;
}

/** Sets everything up; `stop` takes everything away. */
export async function startScene(): Promise<Scene> {
  const place = temporaryPath("packages");
  const watchdog = startWatchdog({ signal: "KILL", remove: [place] });
  await mkdir(place);
  const fixtureStarts = startFixture({ transactions: 2, blocks: 1_200 });
  const [now = "", next = ""] = await buildPackages(place);
  const systemd = await bootSystemd();
  const undo: (() => Promise<unknown>)[] = [() => systemd.stop(), () => watchdog.close()];
  try {
    const fixture = await fixtureStarts;
    undo.push(() => fixture.stop());
    for (const file of [now, next]) await copyFile(file, `${systemd.root}/root/${path.basename(file)}`);
    const databaseUrl = await startPostgres(systemd);
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    pool.on("error", () => {});
    // After the server: a query that still runs would keep it from ending.
    undo.push(() => pool.end());
    return {
      ...systemd,
      fixture,
      databaseUrl,
      packages: { now: `/root/${path.basename(now)}`, next: `/root/${path.basename(next)}` },
      lintian: lintianSays(now),
      slowness: () => slowness(systemd),
      sql: async <Row extends pg.QueryResultRow>(query: string, values?: unknown[]) =>
        (await pool.query<Row>(query, values)).rows,
      postgres: async (verb) => {
        await systemd.check(
          `systemctl ${verb} blockmill-test-postgres || { journalctl -n 30 -u blockmill-test-postgres; exit 1; }`,
        );
        if (verb === "start") await canConnect(pool);
      },
      configure: async (name, { database, rpc, ...settings } = {}) => {
        const config = {
          database: { url: databaseUrl, ...database },
          rpc: { urls: [fixture.url], ...rpc },
          ...settings,
        };
        await systemd.check(`cat >/etc/blockmill/${name}.json`, { input: JSON.stringify(config) });
      },
      property: async (unit, name) =>
        (await systemd.check(`systemctl show --property=${name} --value '${unit}'`)).trim(),
      stop: async () => {
        for (const each of undo) await each();
      },
    };
  } catch (error) {
    for (const each of undo) await each().catch(() => {});
    throw error;
  }
}

/** This version's, and the same as the next one's. */
async function buildPackages(place: string): Promise<string[]> {
  const dist = path.join(compiledTests, "..");
  const args = ["--dist", dist, "--out", place, "--fast", "--only", "deb", "--also", nextVersion];
  const script = path.join(projectRoot, "packaging/package.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: projectRoot });
  return stdout.trim().split("\n").slice(-2);
}

export function whyNoLintian(): string | false {
  return existsSync("/usr/bin/lintian") ? false : "lintian is not installed";
}

async function lintianSays(file: string): Promise<string | undefined> {
  if (whyNoLintian() !== false) return undefined;
  // Exit code 2 is a complaint.
  const said = await promisify(execFile)("lintian", ["--fail-on", "none", file]);
  return said.stdout;
}

/** The newest one's folder of programs. */
function postgresPrograms(): string | undefined {
  const all = "/usr/lib/postgresql";
  const versions = existsSync(all)
    ? readdirSync(all).filter((version) => existsSync(`${all}/${version}/bin/initdb`))
    : [];
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : `${all}/${newest}/bin`;
}

/** A service of the container's, on a port of loopback, which the container shares with us. */
async function startPostgres({ check }: Systemd): Promise<string> {
  const bin = postgresPrograms();
  const port = await freePort();
  const data = "/var/lib/blockmill-test-postgres";
  const url = `postgresql://postgres@127.0.0.1:${port}/chain`;
  const unit = `[Service]
Type=notify
User=postgres
ExecStart=${bin}/postgres -D ${data} -p ${port} -c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200
KillSignal=SIGINT
KillMode=mixed
`;
  await check("cat >/etc/systemd/system/blockmill-test-postgres.service", { input: unit });
  await check(`install -d -o postgres -m 0700 ${data}`);
  const asPostgres = "setpriv --reuid=postgres --regid=postgres --clear-groups";
  await check(`${asPostgres} ${bin}/initdb -D ${data} -A trust --no-sync -E UTF8 --locale=C`);
  await check("systemctl daemon-reload && systemctl start blockmill-test-postgres");
  await check(`psql -q 'postgresql://postgres@127.0.0.1:${port}/postgres' -c 'create database chain'`);
  return url;
}

async function canConnect(pool: pg.Pool): Promise<void> {
  const answers = () =>
    pool.query("select 1").then(
      () => true,
      () => false,
    );
  await waitFor(answers, { what: "PostgreSQL to answer" });
}

/** What `blockmill --version` takes on two idle cores: it loads the program, which is what a start is made of. */
const idleMs = 450;

async function slowness({ check }: Systemd): Promise<number> {
  const started = performance.now();
  await check("blockmill --version");
  return Math.max(1, (performance.now() - started) / idleMs);
}
