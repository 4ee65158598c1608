import { inspect } from "node:util";
import Table from "cli-table3";
import { environment } from "../config/environment.js";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
export type Paint = (style: Style, text: string) => string;

/** Colours, only on a terminal, and never when NO_COLOR is set (https://no-color.org). */
export function createPaint(stream: { isTTY?: boolean }): Paint {
  const coloured = stream.isTTY === true && !environment.NO_COLOR;
  if (!coloured) return (_style, text) => text;
  return (style, text) => {
    const [on, off] = inspect.colors[style] ?? [0, 0];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

const noLines = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

export interface TextColumn {
  /** Its heading; without any heading the table has no such row. */
  head?: string;
  align?: "left" | "right";
}

/** Aligned columns without lines, each row indented by two blanks. */
export function formatTable(columns: TextColumn[], rows: string[][], paint: Paint): string {
  const table = new Table({
    chars: noLines,
    colAligns: columns.map(({ align }) => align ?? "left"),
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [], compact: true },
  });
  if (columns.some(({ head }) => head !== undefined))
    table.push(columns.map(({ head }) => paint("dim", head ?? "")));
  table.push(...rows);
  if (table.length === 0) return "";
  const lines = table.toString().split("\n");
  return `${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}\n`;
}
