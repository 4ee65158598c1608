// Whether this service is started again and again: what each life leaves in the state directory tells the next.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import type { Logger } from "../logger.js";

/** So many starts within so long are a loop. A person who restarts it does so after an end in order. */
const loop = { starts: 5, withinMs: 120_000 };

interface Life {
  /** Milliseconds since 1970. */
  startedAt: number;
  /** How it ended; null: it left no word. */
  end: string | null;
}

interface Told {
  /** Another one: the host itself was started anew. */
  boot: string;
  lives: Life[];
}

export interface Starts {
  /** What is wrong, in words; undefined: this is no loop. */
  readonly loop: string | undefined;
  /** Writes down how this life ends: why, or in order (null). */
  endedBy(why: string | null): void;
}

/**
 * Notes in a file that this service starts, and reads there whether it has done so again and again without an end in
 * order. A file that cannot be read or written is told in the log: then nobody knows.
 */
export function noteStart({
  folder,
  log,
  now = Date.now(),
  boot = readBoot(),
}: {
  folder: string;
  log: Logger;
  now?: number;
  boot?: string;
}): Starts {
  const file = path.join(folder, "starts.json");
  const before = readTold(file, log);
  const recent = before?.boot === boot ? before.lives.filter((life) => isRecent(life, now)) : [];
  const lives: Life[] = [...recent, { startedAt: now, end: null }].slice(-loop.starts);
  writeTold(file, { boot, lives }, log);
  const last = recent.at(-1);
  return {
    loop: lives.length < loop.starts || last === undefined ? undefined : describe(lives, { last, now }),
    endedBy(why) {
      const ended = why === null ? [] : [...lives.slice(0, -1), { startedAt: now, end: why.slice(0, 500) }];
      writeTold(file, { boot, lives: ended }, log);
    },
  };
}

/** How every message of a loop on this host begins. */
export const loopOfHost = (): string => `blockmill on ${hostname()} started `;

// A clock that was set back makes no loop.
const isRecent = ({ startedAt }: Life, now: number): boolean =>
  startedAt <= now && now - startedAt < loop.withinMs;

function describe(lives: readonly Life[], { last, now }: { last: Life; now: number }): string {
  const seconds = Math.max(1, Math.round((now - (lives[0]?.startedAt ?? now)) / 1_000));
  const end = last.end ?? "it left no word: it was killed, or had no more memory";
  return `${loopOfHost()}${lives.length} times in ${seconds} s; the last end: ${end}`;
}

function readTold(file: string, log: Logger): Told | undefined {
  try {
    const told = JSON.parse(readFileSync(file, "utf8")) as Partial<Told> | null;
    const lives = (Array.isArray(told?.lives) ? told.lives : []).filter(
      (life) => typeof life?.startedAt === "number" && (life.end === null || typeof life.end === "string"),
    );
    return { boot: String(told?.boot), lives };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      log.warn({ err: error, file }, "the note of earlier starts cannot be read");
    return undefined;
  }
}

function writeTold(file: string, told: Told, log: Logger): void {
  try {
    // Whole or not at all: the next life may be cut off in between.
    writeFileSync(`${file}.new`, JSON.stringify(told));
    renameSync(`${file}.new`, file);
  } catch (error) {
    log.warn({ err: error, file }, "this start cannot be noted: a loop of restarts would not be noticed");
  }
}

function readBoot(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Not Linux: then a start of the host counts as one of ours.
    return "";
  }
}
