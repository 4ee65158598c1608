import { countsRows } from "../queue/job-result.js";
import type { JobState } from "../queue/read-job.js";
import type { StoredBlock } from "../store/read-stored-block.js";
import { count, shorten } from "../wording.js";
import { formatTable, type Paint } from "./terminal.js";

/** A stored block for people: its header, how many rows each table has of it, and how it came here. */
export function formatBlock({ number, header, rows }: StoredBlock, job: JobState, paint: Paint): string {
  const fields = Object.entries(header)
    .filter(([name, value]) => name !== "number" && value !== null)
    .map(([name, value]) => [paint("dim", name), describe(value)]);
  const { tokenTransfers, ...others } = rows;
  const tables = Object.entries({ ...others, token_transfers: tokenTransfers });
  const sections = [
    paint("bold", `Block ${number}`),
    formatTable([{}, {}], fields, paint),
    paint("bold", "Rows"),
    formatTable(
      [{}, { align: "right" }],
      tables.map(([name, value]) => [paint("dim", name), count(value)]),
      paint,
    ),
  ];
  if (job.result !== null) {
    const result = Object.entries(job.result).filter(([name]) => !countsRows(name));
    sections.push(
      paint("bold", "Job"),
      formatTable(
        [{}, {}],
        [["attempts", String(job.attempts)], ...result.map(([name, value]) => [name, describe(value)])].map(
          ([name = "", value = ""]) => [paint("dim", name), value],
        ),
        paint,
      ),
    );
  }
  return `${sections.map((section) => section.trimEnd()).join("\n")}\n`;
}

/** Room for a 32-byte hash; a bloom is cut. */
const widest = 66;

function describe(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return shorten(typeof value === "string" ? value : JSON.stringify(value), widest);
}
