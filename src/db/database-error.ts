import pg from "pg";
import {
  BlockmillError,
  ConfigError,
  ConflictingRowsError,
  DatabaseUnavailableError,
  MissingPartitionError,
  SchemaError,
  UnstorableBlockError,
} from "../errors.js";

// https://www.postgresql.org/docs/current/errcodes-appendix.html
// By class (two characters) or by the whole code.
const unavailable = new Set([
  "08", // connection exception
  "28", // invalid authorization: a password that was changed under us
  "3D000", // invalid_catalog_name: the database is not there (yet)
  "53", // insufficient resources: disk full, out of memory, too many connections
  "57P01", // admin_shutdown, and pg_terminate_backend
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: starting up
  "57P05", // idle_session_timeout
  "25P03", // idle_in_transaction_session_timeout
  "25006", // read_only_sql_transaction: a standby that is not promoted yet
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "55P03", // lock_not_available
  "57014", // query_canceled: statement_timeout, or a person
  "58", // system error: I/O
  "XX000", // internal_error: what a storage that fails under the server looks like
]);

const wrongSchema = new Set(["42P01", "42703", "3F000", "42883", "42P10"]); // undefined table, column, schema, function
const badData = new Set(["22", "23", "54"]); // data exception, integrity constraint violation, program limit exceeded

const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT", // a unix socket's file while the server is down
  "EMFILE",
  "ENFILE",
]);

/**
 * What a failed statement means: an error with a disposition, the original as its cause. An error that
 * is not the database's is returned as it is.
 */
export function asDatabaseError(error: unknown): unknown {
  if (error instanceof BlockmillError || !(error instanceof Error)) return error;
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? "";
    const facts = { sqlstate: code, table: error.table, constraint: error.constraint, column: error.column };
    const detail = error.detail === undefined ? "" : ` (${error.detail})`;
    // pg_hba.conf has an entry for others: hostssl.
    const remedy = /no encryption/.test(error.message)
      ? "; the server may want TLS: sslmode=verify-full"
      : "";
    const message = `PostgreSQL: ${error.message}${detail}${remedy}`;
    const is = (codes: Set<string>) => codes.has(code) || codes.has(code.slice(0, 2));
    if (is(unavailable) || isFullNotifyQueue(error))
      return new DatabaseUnavailableError(message, facts, { cause: error });
    if (is(wrongSchema))
      return new SchemaError(`${message}; blockmill init creates the schema`, facts, { cause: error });
    if (isMissingPartition(error)) return new MissingPartitionError(message, facts, { cause: error });
    if (code === "23505") return new ConflictingRowsError(message, facts, { cause: error });
    if (is(badData)) return new UnstorableBlockError(message, facts, { cause: error });
    return error;
  }
  if (/client password must be a/.test(error.message)) {
    return new ConfigError(
      "database.url: the server asks for a password and none is given: add it to the URL, or put it into ~/.pgpass",
      { key: "database.url" },
      { cause: error },
    );
  }
  const code = (error as NodeJS.ErrnoException).code;
  const problem = tlsProblem(error, code);
  if (problem !== undefined)
    // Its words are told already, without Node.js' own advice.
    return new DatabaseUnavailableError(`database.url: ${problem}`, { code, tls: true });
  const codes =
    error instanceof AggregateError
      ? error.errors.map((each) => (each as NodeJS.ErrnoException).code)
      : [code];
  if (codes.some((each) => each !== undefined && networkCodes.has(each)) || isLostConnection(error)) {
    return new DatabaseUnavailableError(
      "PostgreSQL cannot be reached",
      { code: codes.find(Boolean) },
      { cause: error },
    );
  }
  return error;
}

// Of OpenSSL's verification: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_UNTRUSTED",
  "CERT_SIGNATURE_FAILURE",
  "INVALID_CA",
]);
const wrongTime = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);
const orTrustAnyone = "sslmode=no-verify trusts whoever answers";

/** Why there is no TLS with the server, and what to set; undefined: something else is wrong. */
function tlsProblem({ message }: Error, code = ""): string | undefined {
  if (untrusted.has(code))
    return `the server's certificate is not trusted (${message.replace(/;.*/s, "")}): name the file of its authority, or of itself, with sslmode=verify-full&sslrootcert=FILE; ${orTrustAnyone}`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `the server's certificate is for another name than the URL's host: write the host as the certificate does; ${orTrustAnyone}`;
  if (wrongTime.has(code)) return `${message}: renew the server's certificate, or set this host's clock`;
  if (/server does not support SSL/.test(message))
    return "the server does not speak TLS: set ssl = on there, or sslmode=disable";
  return undefined;
}

/**
 * Some session listens and does not read, so that the server's queue of notifications is full: whoever notifies
 * cannot commit. Its SQLSTATE, program_limit_exceeded, is also that of a row that is too big.
 */
export function isFullNotifyQueue(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "54000" && error.routine === "PreCommit_Notify";
}

/** A check_violation that names no constraint, only the partitioned table: no partition takes the row. */
function isMissingPartition({ code, constraint, table }: pg.DatabaseError): boolean {
  return code === "23514" && constraint === undefined && table !== undefined;
}

// pg and pg-pool throw plain errors without a code when a connection ends or does not come to be.
function isLostConnection(error: Error): boolean {
  return (
    error.message.startsWith("Connection terminated") ||
    error.message.startsWith("timeout exceeded when trying to connect") ||
    error.message.startsWith("timeout expired") ||
    error.message.startsWith("Client has encountered a connection error") ||
    error.message.startsWith("Client was closed") ||
    error.message === "Query read timeout"
  );
}

/**
 * Whether the server answered, but nobody gets in: the user, the password or the database of database.url
 * is wrong, or the server's certificate is not trusted. A daemon that works waits for that to be put right; for a command it is the configuration.
 */
export function isRefusedConnection(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailableError)) return false;
  const sqlstate = String(error.facts.sqlstate ?? "");
  return error.facts.tls === true || sqlstate.startsWith("28") || sqlstate === "3D000";
}
