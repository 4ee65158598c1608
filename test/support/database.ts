// Databases for tests. The runner makes one template with the schema in it and names it in the
// environment; every test file copies it, which takes some 30 ms. A test file that runs alone starts
// a server of its own.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import pg from "pg";
import { partitionSchema } from "../../src/db/partitioned-schema.js";
import { startEmbeddedPostgres } from "./embedded-postgres.js";
import { projectRoot } from "./project.js";

const schemaFile = `${projectRoot}schema.sql`;

export interface TestDatabase {
  url: string;
  name: string;
  /** For the test's own questions: at most four connections, as superuser. */
  pool: pg.Pool;
  /**
   * Ends the pool and drops the database, with whoever is still connected. Rejects, after that, if a
   * client of the pool was not given back. node:test runs `after` hooks in the order in which they
   * were registered: stop what uses the database first.
   */
  drop(): Promise<void>;
}

/** Blocks in a partition of the databases to come, from the environment: whole test files can be run again on partitions. */
export const partitionBlocksVariable = "BLOCKMILL_TEST_PARTITION_BLOCKS";

/** A database with schema.sql in its public schema; in partitions of so many blocks unless that is 0. */
export async function createDatabase({
  partitionBlocks = Number(process.env[partitionBlocksVariable] ?? 0),
} = {}): Promise<TestDatabase> {
  const server = await theServer();
  if (partitionBlocks === 0) return openDatabase(server, server.template);
  const database = await openDatabase(server, "template0");
  await query(database.url, partitionSchema(await readFile(schemaFile, "utf8"), partitionBlocks));
  return database;
}

/** A database with nothing in it. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return openDatabase(await theServer(), "template0");
}

/** The server that the databases are on, and what their names begin with. */
export interface TestDatabases {
  /** A superuser's, for a database that is there already. */
  adminUrl: string;
  prefix: string;
  template: string;
}

/** Makes the template that `createDatabase` copies; the runner calls it once. */
export async function createTemplate(adminUrl: string): Promise<TestDatabases> {
  const prefix = `blockmill_test_${randomBytes(4).toString("hex")}_`;
  const template = `${prefix}template`;
  await query(adminUrl, `create database ${template} template template0 encoding 'UTF8'`);
  await query(urlOf(adminUrl, template), await readFile(schemaFile, "utf8"));
  // A database with a session in it cannot be copied; this one can have none.
  await query(adminUrl, `alter database ${template} allow_connections false`);
  return { adminUrl, prefix, template };
}

/** Undoes `createTemplate`. */
export async function dropTemplate({ adminUrl, template }: TestDatabases): Promise<void> {
  await query(adminUrl, `drop database ${template}`);
}

/** The runner's environment variable: TestDatabases as JSON. */
export const testDatabasesVariable = "BLOCKMILL_TEST_SERVER";

let ownServer: Promise<TestDatabases> | undefined;

function theServer(): Promise<TestDatabases> {
  const given = process.env[testDatabasesVariable];
  if (given !== undefined) return Promise.resolve(JSON.parse(given) as TestDatabases);
  // Nobody stops it: it goes with this process.
  ownServer ??= startEmbeddedPostgres().then(({ url }) => createTemplate(url));
  return ownServer;
}

async function openDatabase({ adminUrl, prefix }: TestDatabases, template: string): Promise<TestDatabase> {
  const name = prefix + randomBytes(6).toString("hex");
  await query(adminUrl, `create database ${name} template ${template} encoding 'UTF8'`);
  const url = urlOf(adminUrl, name);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "blockmill-test",
    max: 4,
    allowExitOnIdle: true,
  });
  // Tests stop servers and cut sessions: what is idle then must not end the test's process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return { url, name, pool, drop: () => dropDatabase({ adminUrl, name, pool }) };
}

async function dropDatabase({ adminUrl, name, pool }: { adminUrl: string; name: string; pool: pg.Pool }) {
  const leaked = pool.totalCount - pool.idleCount;
  const ended = pool.end();
  if (leaked === 0) await ended;
  await query(adminUrl, `drop database if exists ${name} with (force)`);
  if (leaked > 0) throw new Error(`${leaked} clients of the test's pool were not given back`);
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: "blockmill-test" });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
