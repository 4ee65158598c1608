import { isRawNumber } from "../../exact-number.js";

const MAX_LENGTH = 80;

/** What a node sent, for an error message: at most 80 characters, whatever it is and however deep. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (isRawNumber(value)) return value.rawJSON.slice(0, MAX_LENGTH);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value).slice(0, MAX_LENGTH);
  // Quoting escapes what a log or a text column cannot hold: control characters, lone surrogates.
  const quoted = JSON.stringify(value.slice(0, MAX_LENGTH));
  return quoted.length > MAX_LENGTH ? `${quoted.slice(0, MAX_LENGTH - 2)}…"` : quoted;
}
