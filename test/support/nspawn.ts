// A real systemd to test under: Debian's own, as process 1 of a container on an overlay of this machine's
// root. What it writes goes to a tmpfs; it shares the network, so that loopback servers reach both ways.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { alive, patienceMs, waitFor } from "./process.js";

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Systemd {
  /** Runs a shell command inside, as root; `input` is its standard input. Never rejects for its exit code. */
  run(command: string, options?: { input?: string; timeoutMs?: number }): Promise<Ran>;
  /** As `run`; rejects unless it exits with 0, with all that it said. Resolves with its standard output. */
  check(command: string, options?: { input?: string; timeoutMs?: number }): Promise<string>;
  /** The container's root, as this process can read and write it. */
  readonly root: string;
  /** Ends every process inside at once, and forgets what was written. */
  stop(): Promise<void>;
}

const programs = ["systemd-nspawn", "nsenter", "unshare", "systemctl"];
const commandPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Why no systemd can be booted here; undefined: it can. */
export function whyNoSystemd(): string | undefined {
  if (process.platform !== "linux") return "not Linux";
  if (process.getuid?.() !== 0) return "not root";
  const missing = programs.find((name) => !commandPath.split(":").some((at) => existsSync(`${at}/${name}`)));
  if (missing !== undefined) return `no ${missing}: apt-get install systemd systemd-container`;
  try {
    execFileSync("unshare", ["--mount", "sh", "-ec", mountOverlay], { stdio: "pipe", cwd: "/" });
    return undefined;
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
    return `this kernel lets us mount no overlay: ${said.split("\n")[0]}`;
  }
}

/**
 * Boots a systemd and waits until it has started everything. When this process ends, however it ends,
 * the container ends with it: a shell that holds a pipe to us kills it, and its mounts go with their
 * namespace.
 */
export async function bootSystemd(): Promise<Systemd> {
  const name = `blockmill-test-${randomBytes(4).toString("hex")}`;
  const keeper = spawn("unshare", ["--mount", "sh", "-c", keep, "blockmill-test-systemd", name], {
    // A session of its own: Ctrl-C in the terminal must not stop it before those who use it.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    cwd: "/",
  });
  let console = "";
  for (const stream of [keeper.stdout, keeper.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      console = (console + text).slice(-20_000);
    });
  }
  try {
    const leader = await waitFor(() => leaderOf(keeper, console), {
      what: "the container's first process",
    });
    const run = runIn(leader);
    const systemd: Systemd = {
      run,
      check: async (command, options) => {
        const { code, stdout, stderr } = await run(command, options);
        if (code !== 0) throw new Error([`${command}: exit code ${code}`, stdout, stderr].join("\n"));
        return stdout;
      },
      root: `/proc/${leader}/root`,
      stop: () => stop(keeper),
    };
    // Degraded: a service of this machine's own does not start in a container, which is no matter of ours.
    const hasStarted = async () =>
      /^(running|degraded)$/.test((await run("systemctl is-system-running")).stdout.trim());
    await waitFor(hasStarted, { what: "systemd to have started", everyMs: 50 });
    return systemd;
  } catch (error) {
    await stop(keeper);
    throw new Error(`systemd did not boot; its console said:\n${console}`, { cause: error });
  }
}

/** A tmpfs over /mnt with an overlay of / on it: in a mount namespace of one's own. */
const mountOverlay = `
mount --make-rprivate /
mount -t tmpfs -o mode=0755 blockmill-test /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work blockmill-test /mnt/root
`;

// The cgroup is of its own as well: nspawn makes payload/ below the one it is started in.
const keep = `
set -e
name=$1
${mountOverlay}
cd /mnt/root
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
rm -rf etc/systemd/system/*.wants var/log/journal
groups=
for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e "$top/cgroup.procs" ] || continue
  mkdir "$top/$name"
  echo 0 >"$top/$name/cgroup.procs"
  groups="$groups $top/$name"
done
systemd-nspawn --directory=/mnt/root --boot --register=no --keep-unit --machine="$name" \\
  --console=pipe --link-journal=no --quiet </dev/null &
nspawn=$!
echo "nspawn $nspawn"
read -r _ || true
set +e
for leader in $(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null); do kill -KILL "$leader"; done
wait "$nspawn"
for group in $groups; do
  echo 0 >"\${group%/*}/cgroup.procs"
  find "$group" -depth -type d -exec rmdir {} ';'
done
`;

/** The process 1 of the container, by its number out here; 0 while there is none. */
function leaderOf(keeper: ChildProcess, console: string): number {
  if (keeper.exitCode !== null) throw new Error("it ended");
  const nspawn = Number(/^nspawn (\d+)$/m.exec(console)?.[1] ?? 0);
  // nspawn's child first sets the container up; it is process 1 of a namespace from then on.
  for (const child of childrenOf(nspawn)) {
    if (
      /^NSpid:\s+\d+\s+1$/m.test(read(`/proc/${child}/status`)) &&
      read(`/proc/${child}/comm`) === "systemd\n"
    )
      return child;
  }
  return 0;
}

function childrenOf(pid: number): number[] {
  if (pid === 0) return [];
  const tasks = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  return tasks
    .flatMap((task) => read(path.join(`/proc/${pid}/task`, task, "children")).split(" "))
    .filter((text) => text.trim() !== "")
    .map(Number);
}

function runIn(leader: number): Systemd["run"] {
  return async (command, { input = "", timeoutMs = patienceMs } = {}) => {
    const child = spawn("nsenter", ["-t", String(leader), "-a", "--", "/bin/sh", "-c", command], {
      env: { PATH: commandPath, HOME: "/root", LANG: "C.UTF-8", SYSTEMD_PAGER: "", SYSTEMD_COLORS: "0" },
      stdio: ["pipe", "pipe", "pipe"],
      cwd: "/",
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // Who reads none of its input may be gone before it is written.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout, stderr };
  };
}

async function stop(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const exited = once(keeper, "exit");
  keeper.stdin?.end();
  await exited;
  await waitFor(() => keeper.pid === undefined || !alive(keeper.pid), {
    what: "the container's keeper to end",
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
