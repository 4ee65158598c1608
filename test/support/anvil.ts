// A development chain (https://getfoundry.sh/anvil) of one's own, gone with this process however it
// ends. The binary of the platform's npm package is run directly: the JavaScript wrapper wants an
// install script, which .npmrc turns off.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { freePort } from "./free-port.js";
import { waitFor } from "./process.js";
import { startWatchdog, temporaryPath } from "./watchdog.js";

export interface Anvil {
  url: string;
  wsUrl: string;
  port: number;
  pid: number;
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>;
}

export interface AnvilOptions {
  /** Seconds between blocks; a block per transaction unless stated. */
  blockTime?: number;
  /** A free one unless stated. */
  port?: number;
  /** 31337 unless stated. */
  chainId?: number;
  /** More of anvil's own options. */
  args?: string[];
  /** Lets it write to this process's stdout and stderr. */
  verbose?: boolean;
}

/** Starts a chain on 127.0.0.1. Resolves when it answers requests. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(options.port ?? (await freePort()), options);
    } catch (error) {
      // Somebody may have taken the port between the look and the bind.
      if (options.port !== undefined || attempt === 3) throw error;
    }
  }
}

async function startOn(port: number, options: AnvilOptions): Promise<Anvil> {
  const { chainId = 31_337, blockTime, args = [], verbose = false } = options;
  // Its folder for states and caches, which would otherwise be ~/.foundry.
  const home = temporaryPath("anvil");
  const watchdog = startWatchdog({ signal: "KILL", remove: [home] });
  await mkdir(home);
  const settings = ["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(chainId)];
  if (blockTime !== undefined) settings.push("--block-time", String(blockTime));
  if (!verbose) settings.push("--quiet");
  const child = spawn(anvilFile(), [...settings, ...args], {
    env: { ...process.env, HOME: home },
    // A session of its own: Ctrl-C in the terminal must not end it before those who use it.
    detached: true,
    stdio: ["ignore", verbose ? "inherit" : "ignore", verbose ? "inherit" : "pipe"],
  });
  let complaint = "";
  child.stderr?.on("data", (data) => {
    complaint = `${complaint}${data}`.slice(-2_000);
  });

  const stop = async () => {
    await end(child);
    await watchdog.close();
  };
  try {
    await once(child, "spawn");
    watchdog.guard(child.pid);
    const url = `http://127.0.0.1:${port}`;
    await waitFor(
      async () => {
        if (ended(child)) throw new Error(`anvil ended while it started: ${complaint}`);
        return (await chainIdAt(url)) === chainId;
      },
      { what: "anvil to answer" },
    );
    child.unref();
    (child.stderr as Socket | null)?.unref();
    return { url, wsUrl: `ws://127.0.0.1:${port}`, port, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function anvilFile(): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  return createRequire(import.meta.url).resolve(`${name}/bin/anvil`);
}

async function chainIdAt(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId" }),
    });
    return Number(((await response.json()) as { result?: string }).result);
  } catch {
    return undefined;
  }
}

function ended(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (ended(child)) return;
  child.ref();
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
