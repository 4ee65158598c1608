// blockmill itself, as people run it: the program that was built together with this benchmark.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { commandLine } from "../../test/support/daemon.js";
import { descendants, type Program, spawnProgram } from "../../test/support/process.js";

const program = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

export type ProductConfig = Record<string, Record<string, unknown>>;

export interface Product {
  databaseUrl: string;
  rpcUrls: string[];
  /** Over the program's own defaults, section by section. */
  config?: ProductConfig;
  /** A folder for a CPU profile of each of its processes. */
  profile?: string | undefined;
}

/** Runs `blockmill range FROM TO --workers N` to its end. Throws unless every block is stored. */
export async function runRange(
  product: Product & { from: number; to: number; workers: number },
): Promise<void> {
  const { from, to, workers } = product;
  await withProduct(
    product,
    ["range", String(from), String(to), "--workers", String(workers)],
    async (run) => {
      const { code, signal } = await run.exit;
      if (code !== 0)
        throw new Error(`blockmill range ended with ${signal ?? code}:\n${run.output.join("\n")}`);
    },
  );
}

/** Runs `blockmill start` while `use` runs, which begins when it holds its lease. Then stops it in order. */
export async function withDaemon<T>(product: Product, use: (daemon: Program) => Promise<T>): Promise<T> {
  return withProduct(product, ["start"], async (run) => {
    await run.line(/holding the lease of this host/, { timeoutMs: 60_000 });
    const result = await use(run);
    const { code, signal } = await run.kill("SIGTERM");
    if (code !== 0)
      throw new Error(`blockmill start ended with ${signal ?? code}:\n${run.output.join("\n")}`);
    return result;
  });
}

/** Where a running daemon serves HTTP, as HOST:PORT. */
export async function webAddress(daemon: Program): Promise<string> {
  const line = await daemon.line(/"msg":"serving http:\/\//, { timeoutMs: 120_000 });
  return (JSON.parse(line) as { address: string }).address;
}

/** The process ids of a running program's workers. */
export function workerPids({ pid }: Program): number[] {
  return descendants(pid).filter((each) =>
    commandLine(each).some((part) => part.endsWith("/worker/main.js")),
  );
}

async function withProduct<T>(
  { databaseUrl, rpcUrls, config = {}, profile }: Product,
  args: string[],
  use: (run: Program) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-bench-"));
  const file = path.join(folder, "config.json");
  const whole = {
    // A figure of a run must not depend on whether another daemon has the port.
    web: { listen: null },
    ...config,
    database: { ...config.database, url: databaseUrl },
    rpc: { ...config.rpc, urls: rpcUrls },
  };
  await writeFile(file, JSON.stringify(whole), { mode: 0o600 });
  // What Node is told, its forked children are told too.
  const node = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const [script = program, ...rest] = [...node, program, ...args, "--config", file];
  const run = await spawnProgram(rest, { script });
  try {
    return await use(run);
  } finally {
    await run.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}
