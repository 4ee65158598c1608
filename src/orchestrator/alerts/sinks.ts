import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { environment } from "../../config/environment.js";
import type { Config } from "../../config/schema.js";
import type { AlertEvent, AlertPriority } from "../../queue/alerts.js";

/** What a sink is given: version 1 of what docs/OPERATIONS.md describes. Fields may be added. */
export interface AlertMessage {
  version: 1;
  event: AlertEvent;
  /** Of the row in `alerts`; with `event` it names this message, which may come more than once. */
  id: number;
  kind: string;
  priority: AlertPriority;
  message: string;
  /** Where the documentation says more. */
  help: string;
  schema: string;
  chain_id: number | null;
  /** Whose daemon leads. */
  host: string;
  raised_at: string;
  resolved_at: string | null;
}

/** Somebody who is told of alerts. */
export interface Sink {
  /** Kept with the alert, whoever leads: no URL, no secret. */
  name: string;
  /** Resolves when it was taken. */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>;
}

/** How long a sink may take. */
const patience = { webhookMs: 10_000, commandMs: 30_000 };
/** Of what a program says on standard error. */
const mostErrorBytes = 2_000;
/** What a program left running may hold its standard error open: after its end it is read for so long. */
const lastWordsMs = 1_000;

/** The sinks that are there at this moment: programs in a directory come and go. */
export async function findSinks(
  { webhook, command }: Pick<Config["alerts"], "webhook" | "command">,
  { webhookMs, commandMs } = patience,
): Promise<Sink[]> {
  const programs = command === "" ? [] : await findPrograms(command);
  return [
    ...(webhook === "" ? [] : [webhookSink(webhook, webhookMs)]),
    ...programs.map((file) => commandSink(file, commandMs)),
  ];
}

async function findPrograms(command: string): Promise<string[]> {
  try {
    if (!(await stat(command)).isDirectory()) return [command];
    const files = (await readdir(command)).sort().map((name) => path.join(command, name));
    const runnable = await Promise.all(files.map(isRunnable));
    return files.filter((_, i) => runnable[i]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function isRunnable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

function webhookSink(url: string, withinMs: number): Sink {
  return {
    name: "webhook",
    async send(message, signal) {
      const { href, authorization } = withoutPassword(url);
      const response = await fetch(href, {
        method: "POST",
        redirect: "error",
        headers: {
          "content-type": "application/json",
          "user-agent": "blockmill",
          // https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
          "idempotency-key": `"${message.schema}-${message.id}-${message.event}"`,
          ...authorization,
        },
        body: JSON.stringify(message),
        signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the webhook answered with HTTP status ${response.status}`);
    },
  };
}

/** fetch takes no password within a URL. */
export function withoutPassword(url: string): { href: string; authorization: Record<string, string> } {
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === "" && password === "") return { href: url, authorization: {} };
  parsed.username = "";
  parsed.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    href: parsed.href,
    authorization: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
  };
}

function commandSink(file: string, withinMs: number): Sink {
  return {
    name: `command ${file}`,
    send: (message, signal) => runProgram(file, { message, withinMs, signal }),
  };
}

/** Runs a program with a message on its standard input; when its time is over, it and what it started end. */
function runProgram(
  file: string,
  { message, withinMs, signal }: { message: AlertMessage; withinMs: number; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, ["alert", message.kind, message.event], {
      cwd: "/",
      // Nothing of the configuration.
      env: { PATH: environment.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", LANG: environment.LANG ?? "C.UTF-8" },
      stdio: ["pipe", "ignore", "pipe"],
      // A group of its own, so that all of it can be ended.
      detached: true,
    });
    let said = "";
    let isLate = false;
    const end = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    const late = setTimeout(() => {
      isLate = true;
      end();
    }, withinMs);
    signal.addEventListener("abort", end, { once: true });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(0, mostErrorBytes);
    });
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, killedBy) => {
      clearTimeout(late);
      const finish = (): void => {
        clearTimeout(lastWords);
        const how = isLate ? `it ran for ${withinMs / 1_000} s` : (killedBy ?? `exit code ${code}`);
        const words = said.trim() === "" ? "" : `: ${said.trim().replace(/\s+/g, " ")}`;
        settle(() =>
          code === 0 ? resolve() : reject(new Error(`${file} did not take it (${how})${words}`)),
        );
      };
      const lastWords = setTimeout(finish, lastWordsMs);
      child.once("close", finish);
    });
    const settle = (how: () => void): void => {
      clearTimeout(late);
      signal.removeEventListener("abort", end);
      child.stderr.destroy();
      how();
    };
    // One that does not read it is free to.
    child.stdin.on("error", () => {});
    child.stdin.end(`${JSON.stringify(message)}\n`);
  });
}
