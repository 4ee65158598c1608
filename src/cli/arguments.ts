// The arguments of commands, checked as commander parses them: what is wrong is named with its
// argument, and ends the program with exit code 2.

import { InvalidArgumentError } from "commander";
import type { BlockSpan } from "../block.js";
import { workers as workersFormat } from "../config/formats.js";
import { mostWorkers, type WorkersSetting } from "../config/workers.js";
import { UsageError } from "../errors.js";

/** A parser of whole numbers from `min` to `max`, written in digits, with commas or without: as they are printed. */
export function wholeNumber({ min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = /^-?(\d{1,16}|\d{1,3}(,\d{3}){1,5})$/.test(text)
      ? Number(text.replaceAll(",", ""))
      : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** A block's number. */
export const blockNumber = wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 });
/** processing_jobs.priority is an int. */
export const priority = wholeNumber({ min: -2_147_483_648, max: 2_147_483_647 });
/** As pipeline.workers. */
export function workers(text: string): WorkersSetting {
  const format = workersFormat();
  const value = format.parse(text);
  try {
    format(value);
  } catch {
    throw new InvalidArgumentError(
      `Expected a whole number from 1 to ${mostWorkers}, "auto", or MIN-MAX such as 2-8.`,
    );
  }
  return value as WorkersSetting;
}

/** The blocks that FROM and TO name, both included: FROM alone names one. Throws a UsageError when FROM is beyond TO. */
export function blockSpan(from: number, to: number | undefined): BlockSpan {
  checkOrder(from, to ?? from);
  return { from, to: to ?? from };
}

/** Throws a UsageError unless FROM is at most TO. */
export function checkOrder(from: number, to: number): void {
  if (from > to) throw new UsageError(`FROM (${from}) is beyond TO (${to}): expected FROM <= TO`);
}

/** Throws a UsageError when a block lies beyond the newest one of the chain. */
export function checkHead(argument: string, block: number, head: number): void {
  if (block > head) {
    throw new UsageError(
      `${argument} (${block}) is beyond the chain's newest block: expected at most ${head}`,
    );
  }
}
