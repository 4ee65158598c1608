import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { BlockmillError, describeError, dispositionOf, SchemaError } from "../errors.js";
import { isHeldByOthers, mustYield, tryLock } from "./advisory-locks.js";
import { asDatabaseError } from "./database-error.js";
import { inTransaction, type Tx } from "./pool.js";
import { readVersion } from "./schema-version.js";

// dist/src/db/migrations.js -> migrations/
const ownFolder = new URL("../../../migrations/", import.meta.url);

/** How long a change of the schema waits for a lock. All who come after it wait behind it meanwhile. */
const lockTimeoutMs = 5_000;

/** From version - 1 to version: a file of migrations/. */
export interface Migration {
  version: number;
  name: string;
  /** The oldest version whose programs still work with the result. */
  accepts: number;
  text: string;
}

/** Somebody holds a lock that a change of the schema needs. Nothing was changed. */
export class SchemaBusyError extends BlockmillError {
  readonly disposition = "wait";
}

/** The migrations of a folder, in order: 0002-NAME.sql, 0003-NAME.sql, and so on. Throws a SchemaError for one that is not as README.md there says. */
export function readMigrations(folder: URL = ownFolder): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name, index) => {
    const version = index + 2;
    const text = readFileSync(new URL(name, folder), "utf8");
    const accepts = Number(/^-- accepts: (\d+)$/m.exec(text)?.[1]);
    const expected = String(version).padStart(4, "0");
    if (!new RegExp(`^${expected}-[a-z0-9-]+\\.sql$`).test(name))
      throw new SchemaError(`migrations/${name}: expected ${expected}-NAME.sql`);
    if (!(accepts >= 1 && accepts <= version))
      throw new SchemaError(`migrations/${name}: expected a line "-- accepts: N", N from 1 to ${version}`);
    if (
      /^\s*(begin(?! atomic)|commit|rollback|start transaction)\b[^$]*?;/im.test(
        text.replace(/\$\$[\s\S]*?\$\$/g, ""),
      )
    )
      throw new SchemaError(`migrations/${name}: expected no transaction of its own`);
    return { version, name: name.slice(0, -".sql".length), accepts, text };
  });
}

/**
 * Brings a schema forward, one migration after the other, each in a transaction of its own together with
 * its row in schema_version. Two at once share the work. Returns the versions that were applied. Throws a
 * SchemaBusyError when a lock was not to be had, a SchemaError when a migration failed; what was applied
 * before stays, and the same call goes on from there.
 */
export async function migrate(
  pool: pg.Pool,
  schema: string,
  migrations: readonly Migration[],
): Promise<number[]> {
  const applied: number[] = [];
  for (;;) {
    const version = await inTransaction(pool, async (tx) => {
      await lockSchema(tx, schema);
      const found = await readVersion(tx);
      const next = migrations.find(({ version }) => version === (found?.version ?? 0) + 1);
      if (next === undefined) return null;
      await changeSchema(tx, `the migration ${next.name}`, next.text);
      await tx.query("insert into schema_version (version, accepts) values ($1, $2)", [
        next.version,
        next.accepts,
      ]);
      return next.version;
    });
    if (version === null) return applied;
    applied.push(version);
  }
}

const lookAgainMs = 100;

/**
 * Until the transaction ends, nobody else changes the schema by blockmill; who wants to, waits. A stranger who holds the
 * key is passed over (advisory-locks.ts). Of two that take it at once by different keys the later one gives its own up,
 * and the earlier one waits for that.
 */
export async function lockSchema(tx: Tx, schema: string): Promise<void> {
  const key = `blockmill init ${schema}`;
  for (;;) {
    await tx.query("savepoint schema_lock");
    const { taken, ending } = await tryLock(tx, key, "transaction");
    if (taken && !(await mustYield(tx, key, ending))) break;
    await tx.query("rollback to savepoint schema_lock");
    await sleep(lookAgainMs);
  }
  while (await isHeldByOthers(tx, key)) await sleep(lookAgainMs);
}

/** Runs a script inside a transaction: it may take long, but never waits long for a lock. */
export async function changeSchema(tx: Tx, what: string, script: string): Promise<void> {
  await tx.query(`set local lock_timeout = ${lockTimeoutMs}; set local statement_timeout = 0`);
  try {
    await tx.query(script);
  } catch (thrown) {
    const error = asDatabaseError(thrown);
    if (error instanceof BlockmillError && error.facts.sqlstate === "55P03") {
      throw new SchemaBusyError(
        `${what} did not get a lock within ${lockTimeoutMs / 1_000} s, and changed nothing: a long transaction or a backup is in its way; see docs/TROUBLESHOOTING.md, then run it again`,
        {},
        { cause: thrown },
      );
    }
    if (dispositionOf(error) === "wait" || (thrown as { code?: string }).code === "42501") throw error;
    throw new SchemaError(
      `${what} failed, and changed nothing: ${describeError(thrown)}`,
      {},
      { cause: thrown },
    );
  }
}
