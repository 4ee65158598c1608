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

/** A role that may log in and was granted a privilege, or nothing. It goes with the test, and its database with it. */
export async function createRole(
  t: TestContext,
  database: TestDatabase,
  privilege?: Privilege,
): Promise<TestRole> {
  const role = await addRole(database, privilege);
  t.after(() => dropWith([role], database));
  return role;
}

/** Two that were granted nothing; they go as one does. */
export async function createTwoRoles(
  t: TestContext,
  database: TestDatabase,
): Promise<readonly [TestRole, TestRole]> {
  const roles = [await addRole(database), await addRole(database)] as const;
  t.after(() => dropWith(roles, database));
  return roles;
}

async function addRole(database: TestDatabase, privilege?: Privilege): Promise<TestRole> {
  const name = `${database.name}_${randomBytes(3).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await database.pool.query(`create role ${pg.escapeIdentifier(name)} login password '${password}'`);
  if (privilege !== undefined)
    await inTransaction(database.pool, (tx) => grantPrivilege(tx, "public", name, privilege));
  const url = new URL(database.url);
  url.username = name;
  url.password = password;
  return { name, url: url.href, password };
}

/** Roles belong to the server: they go before their database does. */
async function dropWith(roles: readonly TestRole[], database: TestDatabase): Promise<void> {
  for (const { name } of roles) {
    const role = pg.escapeIdentifier(name);
    await database.pool.query(`drop owned by ${role}; drop role ${role}`);
  }
  await database.drop();
}
