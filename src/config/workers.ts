import { availableParallelism } from "node:os";

/** How many workers a daemon may have. Equal: it always has so many. */
export interface WorkerBounds {
  min: number;
  max: number;
}

/** pipeline.workers as the configuration holds it: a number, `auto`, or `MIN-MAX`. */
export type WorkersSetting = number | string;

export const mostWorkers = 256;

/** What a setting means; null: nothing. `auto` is one to two for each core. */
export function workerBounds(setting: unknown): WorkerBounds | null {
  const bounds =
    setting === "auto" ? { min: 1, max: Math.min(mostWorkers, 2 * availableParallelism()) } : read(setting);
  if (bounds === null) return null;
  const fits = [bounds.min, bounds.max].every(
    (each) => Number.isSafeInteger(each) && each >= 1 && each <= mostWorkers,
  );
  return fits && bounds.min <= bounds.max ? bounds : null;
}

function read(setting: unknown): WorkerBounds | null {
  if (typeof setting === "number") return { min: setting, max: setting };
  if (typeof setting === "string") {
    const [, min, max] = /^(\d{1,3})-(\d{1,3})$/.exec(setting) ?? [];
    return max === undefined ? null : { min: Number(min), max: Number(max) };
  }
  if (typeof setting !== "object" || setting === null) return null;
  const { min, max, ...rest } = setting as Record<string, unknown>;
  const isPair = typeof min === "number" && typeof max === "number" && Object.keys(rest).length === 0;
  return isPair ? { min, max } : null;
}
