import Table from "cli-table3";
import type { Spread } from "./statistics.js";
import { type Figure, format, type Target } from "./suite.js";

/** The figures as a table of plain text, with the notes below it. */
export function renderTable(all: readonly Figure[]): string {
  const table = new Table({
    head: ["benchmark", "measured", "value", "against", "value", "ratio", "target", "met"],
    style: { head: [], border: [], compact: true },
  });
  const notes: string[] = [];
  for (const figure of all) {
    const { benchmark, what, unit, value, against, target, note } = figure;
    if (note !== undefined && !notes.includes(note)) notes.push(note);
    const mark = note === undefined ? "" : ` [${notes.indexOf(note) + 1}]`;
    table.push([
      benchmark,
      what + mark,
      `${range(value)} ${unit}`,
      against?.what ?? "",
      against === undefined ? "" : `${range(against.value)} ${unit}`,
      against === undefined ? "" : range(against.ratio),
      target === undefined ? "" : targetText(target),
      target === undefined ? "" : target.met ? "yes" : "NO",
    ]);
  }
  return [table.toString(), ...notes.map((note, i) => `[${i + 1}] ${note}`)].join("\n");
}

function range({ median, min, max }: Spread): string {
  if (Number.isNaN(median)) return "-";
  return min === max ? format(median) : `${format(median)} (${format(min)}-${format(max)})`;
}

function targetText(target: Target): string {
  if ("atLeast" in target) return `>= ${target.atLeast}`;
  if ("atMost" in target) return `<= ${target.atMost}`;
  return `< ${target.below}`;
}
