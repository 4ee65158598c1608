import path from "node:path";
import { Argument, type Command } from "commander";
import type pg from "pg";
import { readDecodeSettings } from "../config/decode-settings.js";
import { environment } from "../config/environment.js";
import { type PlannedDecoder, planDecoders } from "../decode/plan-decoders.js";
import { ConfigError, UsageError } from "../errors.js";
import { applyDecoders, dropDecoders, type Step, stepsOf, tableOf } from "../pipeline/apply-decoders.js";
import { type DecoderStatus, readDecoderStatus } from "../pipeline/decode-status.js";
import { sampleMatches } from "../pipeline/sample-matches.js";
import { tableStatement } from "../store/add-derived-table.js";
import { plural, span } from "../wording.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type GlobalOptions, type Session, withDatabase } from "./session.js";
import { createPaint, formatTable } from "./terminal.js";

const actions = ["plan", "apply", "status", "drop"] as const;

export function addDecode(program: Command): void {
  program
    .command("decode")
    .description(
      "tables of decoded events: show what the configuration's key decode wants, make it, look at it",
    )
    .addArgument(new Argument("<action>", "what to do").choices(actions))
    .argument("[tables...]", "with drop: which")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
plan     what apply would do: tables and columns, how many stored logs match, how long filling takes. Changes nothing.
apply    makes the tables, and gives roles what they have at logs. Run it as the schema's owner. The running daemons
         fill them from logs, without asking a node, and write later rows with their blocks.
status   of each table: blocks that are there and that are missing, rate, logs that do not fit, and what is wrong.
drop     removes tables. Their rows follow from logs: to apply them again makes them again.

Example:
  "decode": {"usdc": {"address": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
                      "events": ["Transfer(address indexed from, address indexed to, uint256 value)"]}}
  blockmill decode plan -c mainnet.json
  blockmill decode apply -c mainnet.json
  psql -c "select * from usdc_transfer_hex limit 10"`,
    )
    .action(run(decode));
}

async function decode(
  session: Session,
  options: GlobalOptions & { json?: boolean },
  action: (typeof actions)[number],
  tables: string[],
): Promise<number> {
  const json = options.json ?? false;
  if (action === "drop" && tables.length === 0) throw new UsageError("decode drop: expected names of tables");
  if (action !== "drop" && tables.length > 0)
    throw new UsageError(`decode ${action}: expected no names of tables`);
  return withDatabase(session, async (pool) => {
    if (action === "drop") return drop(pool, tables);
    if (action === "status") return status(session, pool, json);
    const file = options.config ?? (environment.BLOCKMILL_CONFIG || undefined);
    const folder = file === undefined ? process.cwd() : path.dirname(path.resolve(file));
    const planned = planDecoders(readDecodeSettings(session.config.decode), folder);
    return action === "plan" ? plan(pool, planned, json) : apply(pool, planned);
  });
}

const words: Record<Step["do"], string> = {
  create: "new",
  keep: "as it is applied",
  refill: "changes: its rows are made again, block by block",
  replace: "changes its columns: it is dropped and made again",
  unconfigured: "applied, and not in the configuration: it goes on; blockmill decode drop removes it",
};

async function plan(pool: pg.Pool, planned: readonly PlannedDecoder[], json: boolean): Promise<number> {
  const steps = await stepsOf(pool, planned);
  const matches = await sampleMatches(pool, planned);
  if (json) {
    for (const step of steps) {
      const sample = matches.get(step.table);
      const columns = step.do === "unconfigured" ? [] : columnsOf(step.planned);
      process.stdout.write(`${JSON.stringify({ table: step.table, do: step.do, columns, ...sample })}\n`);
    }
    return exitCodes.done;
  }
  if (steps.length === 0) process.stdout.write("The configuration has no events: its key decode is empty.\n");
  for (const step of steps) {
    process.stdout.write(`${step.table}: ${words[step.do]}\n`);
    if (step.do === "unconfigured") continue;
    const { event } = step.planned;
    process.stdout.write(`  event ${event.definition}\n`);
    if (step.do !== "keep")
      process.stdout.write(`${tableStatement(tableOf(step.planned), false).replace(/^/gm, "  ")};\n`);
    const sample = matches.get(step.table);
    if (sample === undefined || step.do === "keep") continue;
    const about = sample.isExact ? "" : "about ";
    process.stdout.write(
      `  ${about}${plural(sample.logs, "stored log")} match; filling takes about ${span(sample.seconds)}\n`,
    );
  }
  return exitCodes.done;
}

function columnsOf(planned: PlannedDecoder): { name: string; type: string }[] {
  const columns = tableOf(planned).columns.map(({ name, type }) => ({ name, type }));
  return [{ name: "block_number", type: "bigint not null" }, ...columns];
}

async function apply(pool: pg.Pool, planned: readonly PlannedDecoder[]): Promise<number> {
  await checkOwner(pool);
  const steps = await applyDecoders(pool, planned);
  for (const step of steps) process.stdout.write(`${step.table}: ${words[step.do]}\n`);
  const made = steps.filter((step) => ["create", "refill", "replace"].includes(step.do));
  process.stdout.write(
    made.length === 0
      ? "Nothing changed.\n"
      : "Applied. Running daemons fill the tables; blockmill reload lets those write to them that had none before.\n",
  );
  return exitCodes.done;
}

async function checkOwner(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ owner: string; me: string }>(
    `select pg_get_userbyid(relowner) as owner, current_user::text as me from pg_class
     where oid = 'logs'::regclass and not pg_has_role(relowner, 'usage')`,
  );
  const [other] = rows;
  if (other !== undefined)
    throw new ConfigError(
      `database.url: the role "${other.me}" does not own the tables: run blockmill decode apply as "${other.owner}"`,
      { key: "database.url" },
    );
}

async function drop(pool: pg.Pool, tables: readonly string[]): Promise<number> {
  const dropped = await dropDecoders(pool, tables);
  for (const table of tables)
    process.stdout.write(`${table}: ${dropped.includes(table) ? "removed" : "is not applied"}\n`);
  return dropped.length === tables.length ? exitCodes.done : exitCodes.blocksFailed;
}

async function status({ config }: Session, pool: pg.Pool, json: boolean): Promise<number> {
  const all = await readDecoderStatus(pool);
  if (json) {
    for (const each of all) process.stdout.write(`${JSON.stringify(each)}\n`);
    return exitCodes.done;
  }
  if (all.length === 0) {
    const how =
      config.decode === "" ? "the configuration's key decode is empty" : "blockmill decode apply makes them";
    process.stdout.write(`There are no event tables: ${how}.\n`);
    return exitCodes.done;
  }
  const paint = createPaint(process.stdout);
  const columns = [
    { head: "table" },
    { head: "blocks", align: "right" as const },
    { head: "missing", align: "right" as const },
    { head: "filling" },
    { head: "do not fit", align: "right" as const },
  ];
  const rows = all.map((each) => [
    each.table,
    each.covered.toLocaleString("en"),
    each.missing.toLocaleString("en"),
    fillingOf(each),
    each.misfits.toLocaleString("en"),
  ]);
  process.stdout.write(formatTable(columns, rows, paint));
  for (const { table, trouble, troubleAt } of all)
    if (trouble !== null) process.stdout.write(`${table}: since ${troubleAt?.toISOString()}: ${trouble}\n`);
  return exitCodes.done;
}

function fillingOf({ missing, blocksPerSecond }: DecoderStatus): string {
  if (missing === 0) return "";
  if (blocksPerSecond === null) return "not begun";
  return `${Math.round(blocksPerSecond).toLocaleString("en")} blocks/s, ${span(missing / blocksPerSecond)} left`;
}
