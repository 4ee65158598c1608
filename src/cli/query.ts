import type { Command } from "commander";
import { Option } from "commander";
import type pg from "pg";
import { quoteName } from "../abi/identifiers.js";
import { type QueryTable, querySql, queryTables } from "../abi/query-sql.js";
import { SignatureError } from "../abi/signature-error.js";
import { estimateScans, type Scan } from "../db/estimate-scan.js";
import { BlockmillError, describeError, UsageError } from "../errors.js";
import { byteSize } from "../wording.js";
import { wholeNumber } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { type Cell, formatRows, type QueryFormat, queryFormats, queryFrame } from "./query-format.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createPaint } from "./terminal.js";

export function addQuery(program: Command): void {
  program
    .command("query")
    .description("run a SELECT in which events are tables, decoded from logs")
    .argument("<sql>", "one SELECT")
    .option(
      "--event <signature>",
      "an event that is a table of the query, or an ABI by name (erc20, ...); may be given again",
      (text, before: string[] = []) => [...before, text],
    )
    .addOption(new Option("--format <format>", "how rows are printed").choices(queryFormats).default("table"))
    .option("--print", "print the SQL for psql instead of running it")
    .option(
      "--timeout <seconds>",
      "cancel it after that many seconds (default: 60)",
      wholeNumber({ min: 1, max: 86_400 }),
    )
    .option("--scan", "run it although it reads a large table whole")
    .addHelpText(
      "after",
      `
An event is a table that is called as the event is, in snake_case: block_number, log_index, block_timestamp,
transaction_hash, address, its arguments, undecodable. It exists for this query alone: nothing is created, the session
only reads. Conditions on address and block_number use the indexes of logs (blockmill index).
Arrays of text, of arrays or of structs need a table of their own.

Examples:
  blockmill query 'select count(*) from blocks'
  blockmill query --event 'Transfer(address indexed from, address indexed to, uint256 value)' \\
    "select to_, sum(value) from transfer where block_number > 21000000 group by 1 order by 2 desc limit 10"
  blockmill query --event uniswap_v2_pair --format csv 'select * from sync limit 100' > syncs.csv
  docs/QUERIES.md has more.`,
    )
    .action(run(query));
}

const defaultTimeoutSeconds = 60;
/** A table that is read whole without being asked about. */
const mostScannedBytes = 1024 ** 3;
const rowsAtOnce = 1_000;

interface QueryOptions {
  event?: string[];
  format: QueryFormat;
  print?: boolean;
  timeout?: number;
  scan?: boolean;
}

async function query(session: Session, options: QueryOptions, sql: string): Promise<number> {
  const { schema } = session.config.database;
  const tables = tablesOf(options.event ?? []);
  const text = composed(tables, { schema, sql });
  if (options.print === true) {
    const path = schema === "public" ? "" : `set search_path to ${quoteName(schema)};\n`;
    process.stdout.write(`${path}${text};\n`);
    return exitCodes.done;
  }
  const timeoutSeconds = options.timeout ?? defaultTimeoutSeconds;
  await withDatabase(session, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("begin transaction read only");
      await client.query(`set local statement_timeout = '${timeoutSeconds}s'`);
      await client.query("set local timezone = 'UTC'");
      // The plan for all rows, not for the first ones.
      await client.query("set local cursor_tuple_fraction = 1");
      if (options.scan !== true) refuseLargeScans(await estimateScans(client, text));
      await printRows(client, text, options.format);
    } catch (error) {
      throw explained(error, { tables, timeoutSeconds });
    } finally {
      // Nothing was written, and nothing is to be.
      client.release(true);
    }
  });
  return exitCodes.done;
}

function tablesOf(events: readonly string[]): QueryTable[] {
  try {
    return queryTables(events);
  } catch (error) {
    throw asUsage(error);
  }
}

function composed(tables: readonly QueryTable[], { schema, sql }: { schema: string; sql: string }): string {
  if (sql.trim() === "") throw new UsageError("SQL: expected a SELECT");
  try {
    return querySql(tables, { schema, sql });
  } catch (error) {
    throw asUsage(error);
  }
}

function asUsage(error: unknown): unknown {
  return error instanceof SignatureError ? new UsageError(`--event: ${error.message}`) : error;
}

/** One statement: the protocol that prepares it takes no second one, which could end the transaction that only reads. */
async function printRows(client: pg.PoolClient, text: string, format: QueryFormat): Promise<void> {
  await client.query({ text: `declare query no scroll cursor for ${text}`, queryMode: "extended" } as never);
  const paint = createPaint(process.stdout);
  const [before, behind] = queryFrame[format];
  process.stdout.write(before);
  let found = 0;
  for (;;) {
    const { rows, fields } = await client.query<Cell[]>({
      text: `fetch ${rowsAtOnce} from query`,
      rowMode: "array",
      types: { getTypeParser: () => (value: string) => value },
    } as never);
    const columns = fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }));
    const later = found > 0;
    if (rows.length > 0 || !later) await written(formatRows(format, { columns, rows, later, paint }));
    found += rows.length;
    if (rows.length < rowsAtOnce) break;
  }
  process.stdout.write(behind);
}

/** Waits for whoever reads, so that no more than a part of the rows lies in memory. */
async function written(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Throws UsageError where a query reads more than a gigabyte from beginning to end. */
export function refuseLargeScans(scans: readonly Scan[]): void {
  const bytes = scans.reduce((sum, scan) => sum + scan.bytes, 0);
  if (bytes <= mostScannedBytes) return;
  const names = [...new Set(scans.filter((scan) => scan.bytes > 0).map(({ table }) => table))];
  throw new UsageError(
    `the query reads ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", ..." : ""} from beginning to end (${byteSize(bytes)}): give a condition on block_number or address, or build an index (blockmill index); --scan runs it all the same`,
  );
}

/** What PostgreSQL says of somebody's SQL is no defect of ours: it is told with what to do. */
function explained(
  error: unknown,
  { tables, timeoutSeconds }: { tables: readonly QueryTable[]; timeoutSeconds: number },
): unknown {
  if (error instanceof UsageError) return error;
  const code =
    error instanceof BlockmillError ? error.facts.sqlstate : (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return error;
  const said = describeError(error);
  if (code === "57014")
    return new UsageError(`it took longer than ${timeoutSeconds} s: ask for less, or give --timeout SECONDS`);
  if (code === "42P01") {
    const names = tables.map(({ name }) => name);
    return new UsageError(
      `SQL: ${said}; ${names.length === 0 ? "--event makes a table of an event" : `the events are ${names.join(", ")}`}`,
    );
  }
  if (code === "42703")
    return new UsageError(
      `SQL: ${said}${tables.map(({ name, event }) => `; ${name} has ${event.columns.map((column) => column.name).join(", ")}`).join("")}`,
    );
  // Its syntax, what it names, its values, more than one statement, or that it would write.
  return /^(42|22|21|0A|25)/.test(code) && code !== "42501" ? new UsageError(`SQL: ${said}`) : error;
}
