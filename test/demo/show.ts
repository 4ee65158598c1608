// What the demo prints. Nothing here knows where the numbers come from.

import { styleText } from "node:util";
import type { Difference } from "./check.js";
import type { CommittedBlock, FailedAttempt } from "./watch.js";

export interface Show {
  title(): void;
  /** A line about what is being done before anything can be seen. */
  step(text: string): void;
  /** What runs where. */
  facts(facts: [name: string, value: string][]): void;
  /** Something to try, and the commands to paste. */
  hint(text: string, commands: string[]): void;
  tableHead(): void;
  /** A block of the head. `latencyMs`: from its appearance in the chain to its commit; null: not known. */
  block(block: CommittedBlock, latencyMs: number | null): void;
  /** Blocks that somebody asked for, committed together. */
  askedFor(blocks: CommittedBlock[]): void;
  failures(attempts: FailedAttempt[]): void;
  summary(summary: Summary): void;
  differences(differences: Difference[]): void;
  line(text?: string): void;
}

export interface Summary {
  blocks: number;
  seconds: number;
  rows: [table: string, rows: number][];
  /** From appearance to commit, in milliseconds, of the blocks for which it is known. */
  latencies: number[];
  /** What was compared with the chain, and whether it was equal. Absent: nothing was. */
  checked?: { blocks: number; ok: boolean } | undefined;
}

type Style = Parameters<typeof styleText>[0];

/** Differences that are listed before the rest is only counted. */
const maxListed = 20;
const widths = [9, 6, 6, 11, 7, 12, 11, 11];
const heads = ["block", "txs", "logs", "transfers", "rows", "latency", "fetch", "write"];

export function createShow({ write, colour }: { write: (text: string) => void; colour: boolean }): Show {
  const style = (as: Style, text: string): string => (colour ? styleText(as, text) : text);
  const line = (text = ""): void => write(`${text}\n`);
  const row = (cells: string[]): string => cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("");

  return {
    line,
    title() {
      line();
      line(
        `  ${style(["bold", "cyan"], "blockmill")}  ${style("dim", "an EVM chain, turned into PostgreSQL rows")}`,
      );
      line();
    },
    step: (text) => line(style("dim", `  … ${text}`)),
    facts(facts) {
      line();
      const width = Math.max(...facts.map(([name]) => name.length));
      for (const [name, value] of facts) line(`  ${style("dim", name.padEnd(width + 2))}${value}`);
    },
    hint(text, commands) {
      line();
      line(`  ${text}`);
      for (const command of commands) line(`    ${style("green", command)}`);
    },
    tableHead() {
      line();
      line(style("dim", row(heads)));
    },
    block(block, latencyMs) {
      const { number, transactions, logs, tokenTransfers, rows, fetchMs, writeMs } = block;
      const counts = row([String(number), ...[transactions, logs, tokenTransfers, rows].map(String)]);
      const latency = (latencyMs === null ? "" : ms(latencyMs)).padStart(widths[5] ?? 0);
      const parts = ms(fetchMs).padStart(widths[6] ?? 0) + ms(writeMs).padStart(widths[7] ?? 0);
      line(counts + style(["bold", "green"], latency) + style("dim", parts));
    },
    askedFor(blocks) {
      const [first, last] = [blocks[0], blocks.at(-1)];
      if (first === undefined || last === undefined) return;
      const rows = blocks.reduce((sum, each) => sum + each.rows, 0);
      const which = first === last ? `${first.number}` : `${first.number}..${last.number}`;
      const took = ms(last.committedAt - last.askedAt);
      const what = `${which.padStart(widths[0] ?? 0)}  ${blocks.length} asked for, ${rows} rows, committed`;
      line(
        `${style("yellow", what)} ${style(["bold", "green"], took)} ${style("yellow", "after the INSERT")}`,
      );
    },
    failures(attempts) {
      for (const { number, message } of attempts) {
        line(style("red", `${String(number).padStart(widths[0] ?? 0)}  an attempt failed: ${message}`));
      }
    },
    summary({ blocks, seconds, rows, latencies, checked }) {
      line();
      line(`  ${style("bold", `${blocks} ${plural(blocks, "block")} stored`)} in ${seconds.toFixed(1)} s`);
      for (const [table, count] of rows)
        line(`  ${style("dim", table.padEnd(18))}${String(count).padStart(8)} rows`);
      const known = [...latencies].sort((a, b) => a - b);
      const [fastest, median] = [known[0], known[Math.floor(known.length / 2)]];
      if (fastest !== undefined && median !== undefined) {
        line(
          `  ${style("dim", "seen to committed ")}${ms(fastest).padStart(8)} fastest, ${ms(median)} median`,
        );
      }
      if (checked !== undefined) {
        const text = `${checked.blocks} ${plural(checked.blocks, "block")} compared with the chain: hash, transactions, logs`;
        line(checked.ok ? style("green", `  ✓ ${text}: equal`) : style("red", `  ✗ ${text}: not equal`));
      }
      line();
    },
    differences(differences) {
      for (const { block, problem } of differences.slice(0, maxListed)) {
        line(style("red", `  ✗ block ${block} ${problem}`));
      }
      const more = differences.length - maxListed;
      if (more > 0) line(style("red", `    and ${more} more`));
      if (differences.length > 0) line();
    },
  };
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const plural = (count: number, word: string): string => (count === 1 ? word : `${word}s`);
