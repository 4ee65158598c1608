// A disk that is full, and is freed: a small file system of its own for one table.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdir, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { onEnd } from "../guard.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, needsRoot, type Scenario } from "../scenario.js";
import type { World } from "../world.js";

const run = promisify(execFile);

export const diskFull: Scenario = {
  name: "disk-full",
  about: "the disk of one table fills up, and is freed",
  takes: ["server", "locks"],
  weight: 1,
  unable: (world) => needsRoot() ?? needsOwnServer(world),
  async inject(world, random) {
    const { server } = world;
    if (server === undefined) return;
    const folder = path.join(tmpdir(), `blockmill-chaos-disk-${randomBytes(4).toString("hex")}`);
    await mkdir(folder, { mode: 0o755 });
    const unmount = onEnd(`umount -l ${folder}; rmdir ${folder}`);
    const tablespace = `chaos_${randomBytes(4).toString("hex")}`;
    try {
      const tables = await leaves(world);
      const bytes = tables.reduce((sum, each) => sum + each.bytes, 0);
      const size = Math.ceil((bytes * 1.2) / 1_048_576) + 8;
      await run("mount", ["-t", "tmpfs", "-o", `size=${size}m`, "chaos", folder]);
      const { uid, gid } = await stat(server.dataDirectory);
      const inside = path.join(folder, "space");
      await mkdir(inside, { mode: 0o700 });
      await chown(inside, uid, gid);
      await world.ask(`create tablespace ${tablespace} location '${inside}'`);
      for (const { name } of tables) await world.ask(`alter table ${name} set tablespace ${tablespace}`);
      await fill(path.join(folder, "ballast"));
      world.tally.fault("disk full");
      await sleep(500 + random.below(2_000));
      const from = await mark(world);
      await rm(path.join(folder, "ballast"));
      await measure(world, from, {
        what: "disk freed, to the next completion",
        since: world.clock(),
        wanted: { event: "completion" },
      });
    } finally {
      for (const { name } of await leaves(world))
        await world.ask(`alter table ${name} set tablespace pg_default`);
      await world.ask("checkpoint");
      await world.ask(`drop tablespace if exists ${tablespace}`);
      await unmount();
    }
  },
};

/** The tables that hold the logs' rows: the partitions where there are some. */
function leaves(world: World): Promise<{ name: string; bytes: number }[]> {
  return world.ask(
    `select relid::regclass::text as name, pg_table_size(relid)::float8 as bytes
     from pg_partition_tree('logs') where isleaf
     union all
     select 'logs', pg_table_size('logs')::float8 where not exists (select from pg_partition_tree('logs'))`,
  );
}

/** Writes until nothing more fits. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, "w");
  try {
    for (const piece of [1_048_576, 4_096]) {
      const zeros = Buffer.alloc(piece);
      for (;;) {
        const { bytesWritten } = await handle.write(zeros).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOSPC") throw error;
          return { bytesWritten: 0 };
        });
        if (bytesWritten < piece) break;
      }
    }
  } finally {
    await handle.close();
  }
}
