import assert from "node:assert/strict";
import { test } from "node:test";
import { exitCodeOf, exitCodes } from "../../src/cli/exit-codes.js";
import { isRefusedConnection } from "../../src/db/database-error.js";
import { ToolError } from "../../src/db/postgres-tools.js";
import {
  BadResponseError,
  ConfigError,
  DatabaseUnavailableError,
  EndpointUnavailableError,
  SchemaError,
  UsageError,
} from "../../src/errors.js";
import { InterruptedError } from "../../src/store/build-index.js";

const refused = (sqlstate: string) => new DatabaseUnavailableError("no", { sqlstate });

test("an error's exit code says who has to do something: the caller, the configuration, a server, blockmill", () => {
  const bad = new BadResponseError({ field: "hash", expected: "32 bytes", actual: "none" });
  for (const [error, code] of [
    [new UsageError("no"), exitCodes.usage],
    [new ConfigError("no"), exitCodes.config],
    [new SchemaError("no"), exitCodes.config],
    [new DatabaseUnavailableError("no"), exitCodes.unavailable],
    [new EndpointUnavailableError("no"), exitCodes.unavailable],
    [new ToolError("no", { interrupted: true }), exitCodes.interrupted],
    [new ToolError("no"), exitCodes.unavailable],
    [new InterruptedError(), exitCodes.interrupted],
    [bad, exitCodes.software],
    [new TypeError("no"), exitCodes.software],
    ["no", exitCodes.software],
  ] as const)
    assert.equal(exitCodeOf(error), code, String(error));
});

test("a server that lets nobody in is the configuration's: user, password or database are wrong", () => {
  for (const sqlstate of ["28P01", "28000", "3D000"]) {
    assert.equal(isRefusedConnection(refused(sqlstate)), true, sqlstate);
    assert.equal(exitCodeOf(refused(sqlstate)), exitCodes.config, sqlstate);
  }
  for (const error of [refused("53300"), new DatabaseUnavailableError("no"), new ConfigError("28P01")])
    assert.equal(isRefusedConnection(error), false);
});
