import { InvalidArgumentError } from "commander";

const units = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;
const most = 3_650 * 86_400;

/** A parser of a span of time, such as 90m, 12h, 1d: in seconds. */
export function sinceSeconds(text: string): number {
  const [, value, unit] = /^(\d{1,9})(s|m|min|h|d|w)$/.exec(text.trim()) ?? [];
  const seconds = Number(value) * units[(unit ?? "s").charAt(0) as keyof typeof units];
  if (unit !== undefined && seconds > 0 && seconds <= most) return seconds;
  throw new InvalidArgumentError("Expected a time such as 90m, 12h or 7d, of at most ten years.");
}
