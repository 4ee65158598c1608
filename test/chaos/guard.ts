// A command that is run when it is time, or when this process dies: what the suite changes outside of itself (a
// mount, a packet filter) does not outlive it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";

/** Returns the function that runs the command now, and resolves when it has ended. */
export function onEnd(command: string): () => Promise<void> {
  const shell = spawn("sh", ["-c", `trap '' HUP INT TERM; cat > /dev/null; ${command}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  shell.unref();
  const pipe = shell.stdin as Socket;
  pipe.unref();
  pipe.on("error", () => {});
  return async () => {
    if (shell.exitCode !== null || shell.signalCode !== null) return;
    shell.ref();
    const exited = once(shell, "exit");
    pipe.end();
    await exited;
  };
}
