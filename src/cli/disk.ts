import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { UsageError } from "../errors.js";
import { type Disk, readDisk } from "../status/read-disk.js";
import { byteSize, count, plural } from "../wording.js";
import { blockNumber } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createPaint, formatTable, type Paint } from "./terminal.js";
import { withLockTimeout } from "./with-lock-timeout.js";

export function addDisk(program: Command): void {
  program
    .command("disk")
    .description("bytes and rows of each table, how fast they grow, and how much they will be")
    .option("--block <number>", "forecast: when so many blocks are stored", blockNumber)
    .option("--until <date>", "forecast: on a day, such as 2027-01-31", dayOf)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Growth is that of the last three days, of which the leading daemon keeps a sample an hour: it is known an hour after
the first one. Rows are those of the last ANALYZE. With alerts.disk_gb the disk's end is told as well.

Examples:
  blockmill disk -c mainnet.json
  blockmill disk --until 2027-12-31
  blockmill disk --block 25000000 --json | jq .forecast.bytes`,
    )
    .action(run(disk));
}

interface DiskOptions {
  block?: number;
  until?: Date;
  json?: boolean;
}

function dayOf(text: string): Date {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(Number.NaN);
  if (!Number.isNaN(day.getTime()) && day.getTime() > Date.now()) return day;
  throw new InvalidArgumentError("Expected a day to come, such as 2027-01-31.");
}

async function disk(session: Session, { block, until, json = false }: DiskOptions): Promise<number> {
  if (block !== undefined && until !== undefined)
    throw new UsageError("--until: expected no --block beside it");
  const now = await withDatabase(session, (pool) => withLockTimeout(pool, () => readDisk(pool)));
  const { disk_gb: gigabytes } = session.config.alerts;
  const capacity = gigabytes > 0 ? gigabytes * 1e9 : null;
  const found = { ...now, capacity, forecast: forecastOf(now, { block, until, now: Date.now() }) };
  const { dataDirectory, serverAddress, ...shown } = found;
  process.stdout.write(
    json ? `${JSON.stringify(shown, null, 2)}\n` : formatDisk(found, createPaint(process.stdout)),
  );
  return exitCodes.done;
}

export interface Forecast {
  block: number | null;
  at: Date | null;
  bytes: number;
}

const dayMs = 86_400_000;

/** How much it will be at a block, or on a day; null: nothing is known to grow. */
export function forecastOf(
  disk: Disk,
  { block, until, now }: { block?: number | undefined; until?: Date | undefined; now: number },
): Forecast | null {
  const { bytes, bytesPerDay, blocks, blocksPerDay } = disk;
  if (until !== undefined) {
    if (bytesPerDay === null) return null;
    return { block: null, at: until, bytes: bytes + (bytesPerDay * (until.getTime() - now)) / dayMs };
  }
  if (block === undefined || blocks === 0) return null;
  const left = Math.max(0, block - blocks);
  const isGrowing = bytesPerDay !== null && blocksPerDay !== null && blocksPerDay > 0;
  // What a block takes now, rather than what one took on average: blocks grow with the years.
  const bytesPerBlock = isGrowing ? bytesPerDay / blocksPerDay : bytes / blocks;
  return {
    block,
    at: isGrowing ? new Date(now + (left / blocksPerDay) * dayMs) : null,
    bytes: bytes + left * bytesPerBlock,
  };
}

/** For people. */
export function formatDisk(
  found: Disk & { capacity: number | null; forecast: Forecast | null },
  paint: Paint,
): string {
  const right = "right" as const;
  const { tables, bytes, bytesPerDay, measuredDays, blocks, blocksPerDay, capacity, forecast } = found;
  const growth = (value: number | null): string =>
    value === null ? "" : `${value < 0 ? "-" : "+"}${byteSize(Math.abs(value))}`;
  const rows = tables.map((table) => [
    table.name,
    byteSize(table.bytes),
    count(table.rows),
    growth(table.bytesPerDay),
  ]);
  const table = formatTable(
    [
      { head: "table" },
      { head: "size", align: right },
      { head: "rows", align: right },
      { head: "a day", align: right },
    ],
    [...rows, [paint("bold", "together"), paint("bold", byteSize(bytes)), "", growth(bytesPerDay)]],
    paint,
  );
  const lines = [
    `${plural(blocks, "block")} stored${blocks === 0 ? "" : `, ${byteSize(bytes / blocks)} each`}${blocksPerDay === null ? "" : `, ${count(Math.round(blocksPerDay))} more a day`}.`,
    measuredDays === null
      ? "How fast it grows is known an hour after the daemon began to measure."
      : `Growth is that of the last ${measuredDays < 1 ? `${Math.max(1, Math.round(measuredDays * 24))} h` : plural(Math.round(measuredDays), "day")}.`,
  ];
  if (capacity !== null && bytesPerDay !== null && bytesPerDay > 0)
    lines.push(
      `Of ${byteSize(capacity)} (alerts.disk_gb) it fills the rest in ${plural(Math.max(0, Math.floor((capacity - bytes) / bytesPerDay)), "day")}.`,
    );
  if (forecast !== null) {
    const at = forecast.at === null ? "" : forecast.at.toISOString().slice(0, 10);
    const when =
      forecast.block === null
        ? `On ${at}`
        : `At ${count(forecast.block)} stored blocks${at === "" ? "" : ` (${at})`}`;
    lines.push(`${when}: ${byteSize(forecast.bytes)}.`);
  }
  return `${table}${lines.join("\n")}\n`;
}
