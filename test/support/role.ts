import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import pg from "pg";
import { grantPrivilege, type Privilege } from "../../src/db/grants.js";
import { inTransaction } from "../../src/db/pool.js";
import type { TestDatabase } from "./database.js";

export interface TestRole {
  name: string;
  /** Its database's, as this role. */
  url: string;
  password: string;
}

/**
 * A role that may log in and was granted a privilege, or nothing. It goes with the test, and its database with it:
 * roles belong to the server.
 */
export async function createRole(
  t: TestContext,
  database: TestDatabase,
  privilege?: Privilege,
): Promise<TestRole> {
  const name = `${database.name}_${randomBytes(3).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  const role = pg.escapeIdentifier(name);
  await database.pool.query(`create role ${role} login password '${password}'`);
  t.after(async () => {
    await database.pool.query(`drop owned by ${role}; drop role ${role}`);
    await database.drop();
  });
  if (privilege !== undefined)
    await inTransaction(database.pool, (tx) => grantPrivilege(tx, "public", name, privilege));
  const url = new URL(database.url);
  url.username = name;
  url.password = password;
  return { name, url: url.href, password };
}
