import { parseArgs } from "node:util";

export type DemoOptions =
  /** A chain that goes on until Ctrl-C. */
  | { mode: "follow" }
  /** So many blocks of such a chain, quickly. */
  | { mode: "blocks"; blocks: number }
  /** Blocks of a chain of the user's, `from` to `to` inclusive. */
  | { mode: "range"; rpcUrl: string; from: number; to: number };

/** The command line is wrong; the message says how. */
export class DemoUsageError extends Error {}

export const usage = `usage: npm run demo                                             watch a chain being stored, until Ctrl-C
       npm run demo -- --blocks 200                             store and check 200 blocks, then end
       npm run demo -- --rpc-url URL --from N --to M            the same with blocks N to M of a chain of yours`;

/** What the command line asks for. Null: to be told how to ask. Throws a DemoUsageError. */
export function parseOptions(args: string[]): DemoOptions | null {
  const given = parseFlags(args);
  if (given.help) return null;
  const { blocks, "rpc-url": rpcUrl, from, to } = given;
  if (rpcUrl === undefined) {
    if (from !== undefined || to !== undefined) throw new DemoUsageError("--from and --to need --rpc-url");
    if (blocks === undefined) return { mode: "follow" };
    return { mode: "blocks", blocks: wholeNumber("--blocks", blocks, { min: 1, max: 100_000 }) };
  }
  if (blocks !== undefined)
    throw new DemoUsageError("--blocks is for the demo's own chain: with --rpc-url say --from and --to");
  if (from === undefined || to === undefined) throw new DemoUsageError("--rpc-url needs --from and --to");
  if (!URL.canParse(rpcUrl) || !/^https?:$/.test(new URL(rpcUrl).protocol)) {
    throw new DemoUsageError("--rpc-url: expected a URL that begins with http:// or https://");
  }
  const range = { from: wholeNumber("--from", from, { min: 0 }), to: wholeNumber("--to", to, { min: 0 }) };
  if (range.to < range.from)
    throw new DemoUsageError(`--to: expected at least --from (${range.from}), got ${range.to}`);
  return { mode: "range", rpcUrl, ...range };
}

function parseFlags(args: string[]) {
  const text = { type: "string" } as const;
  try {
    const options = {
      blocks: text,
      "rpc-url": text,
      from: text,
      to: text,
      help: { type: "boolean", short: "h" },
    } as const;
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new DemoUsageError((error as Error).message);
  }
}

function wholeNumber(
  flag: string,
  text: string,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const limits = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  throw new DemoUsageError(`${flag}: expected a whole number ${limits}, got "${text}"`);
}
