// Children for the tests of what looks after them: made-up ones whose every word the test says, and real processes of
// a release that does as little as a child may.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { ToChild } from "../../src/child/messages.js";
import { childRoles, roleRow } from "../../src/child/roles.js";
import type { Child, ChildExit } from "../../src/supervisor/child.js";
import type { Installation } from "../../src/supervisor/installation.js";

/** A child that is no process. */
export interface MadeChild extends Child {
  /** What it was sent and signalled, in order. */
  readonly heard: string[];
  /** Every message that it was sent. */
  readonly messages: ToChild[];
  beReady(): void;
  end(exit?: Partial<ChildExit>): void;
}

/** A worker that does nothing, with what the test wants otherwise. */
export function makeChild(
  over: Partial<Omit<Child, "send" | "kill" | "ready" | "exited">> = {},
  onHeard: (word: string) => void = () => {},
): MadeChild {
  const ready = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<ChildExit>();
  const heard: string[] = [];
  const messages: ToChild[] = [];
  const hear = (word: string): void => {
    heard.push(word);
    onHeard(word);
  };
  return {
    role: "worker",
    workerId: "host/w1",
    pid: 7,
    state: "idle",
    doing: {},
    rank: 0,
    gauges: {},
    hasLoaded: true,
    livedMs: () => 100_000,
    silentMs: () => 0,
    ...over,
    heard,
    messages,
    send(message) {
      messages.push(message);
      hear(message.type);
    },
    kill: hear,
    ready: ready.promise,
    exited: exited.promise,
    beReady: ready.resolve,
    end: (exit) =>
      exited.resolve({
        code: 0,
        signal: null,
        endpoint: undefined,
        fatal: undefined,
        livedMs: 100_000,
        computing: "none",
        ...exit,
      }),
  };
}

/** A child's code that is ready at once, and ends when it is told to drain. */
export const obedient = `
  process.on("message", ({ type }) => {
    if (type === "start") {
      process.send({ type: "heartbeat", state: "idle", doing: {} });
      process.send({ type: "ready" });
    }
    if (type === "drain") process.exit(0);
  });`;

/** A release of which every child runs `code`; it goes with the test. */
export async function makeRelease(t: TestContext, code: string): Promise<Installation> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-release-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const role of childRoles) await writeCode(folder, roleRow(role).file, code);
  return { code: folder, node: process.execPath };
}

/** Puts a program into the folder of a release. */
export async function writeCode(folder: string, file: string, code: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), code);
}
