import { urlOf } from "../config/formats.js";
import type { Config } from "../config/schema.js";
import { schemaVersion } from "../db/schema-version.js";
import type { Redact } from "../redact.js";
import { version } from "../version.js";
import { count } from "../wording.js";
import { formatTable, type Paint } from "./terminal.js";

export interface Banner {
  config: Config;
  /** What was seen as it started; null: nobody could tell. */
  place: { chainId: number | null; head: number | null };
  redact: Redact;
}

/** What `start` says first to a person at a terminal: what runs, on what, and how it ends. */
export function formatBanner({ config, place, redact }: Banner, paint: Paint): string {
  const { database, rpc, pipeline } = config;
  const rows = [
    ["schema", `"${database.schema}", version ${schemaVersion}, ${redact(database.url)}`],
    ["chain", place.chainId === null ? "not seen yet" : String(place.chainId)],
    ["head", place.head === null ? "not seen yet" : count(place.head)],
    ["endpoints", rpc.urls.map((each) => redact(urlOf(each))).join(", ")],
    ["workers", String(pipeline.workers)],
  ].map(([name = "", value = ""]) => [paint("dim", name), value]);
  return [
    paint("bold", `blockmill ${version}`),
    formatTable([{}, {}], rows, paint).trimEnd(),
    paint("dim", "  Ctrl-C: finish what is claimed, then end. Twice: end at once."),
    "",
    "",
  ].join("\n");
}
