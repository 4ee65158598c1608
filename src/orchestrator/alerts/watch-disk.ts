import { statfs } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type pg from "pg";
import { type Disk, readDisk, sampleDisk } from "../../status/read-disk.js";
import type { Duty } from "../run-duties.js";
import type { DiskSeen } from "./seen.js";

const everyMs = 3_600_000;

/** Measures the tables once an hour, keeps what they took, and knows how it goes on. */
export function createDiskWatch({ pool, diskGb }: { pool: pg.Pool; diskGb: number }): {
  duty: Duty;
  seen(): DiskSeen | undefined;
} {
  let seen: DiskSeen | undefined;
  return {
    seen: () => seen,
    duty: {
      name: "watch the disk",
      async run() {
        await sampleDisk(pool);
        const disk = await readDisk(pool);
        const capacity = diskGb > 0 ? diskGb * 1e9 : await localCapacity(disk);
        seen = { bytes: disk.bytes, capacity, bytesPerDay: disk.bytesPerDay };
        return everyMs;
      },
    },
  };
}

/** What the tables have and what is free beside them, where PostgreSQL's files are on this host; null: they are not. */
async function localCapacity({ dataDirectory, serverAddress, bytes }: Disk): Promise<number | null> {
  const own = Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).map(({ address }) => address),
  );
  if (dataDirectory === null || (serverAddress !== null && !own.includes(serverAddress))) return null;
  try {
    const { bavail, bsize } = await statfs(dataDirectory);
    return bytes + bavail * bsize;
  } catch {
    // A container's, or not for this user to see.
    return null;
  }
}
