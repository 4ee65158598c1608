import type { Sql } from "../db/pool.js";
import { noteUpkeep } from "../queue/upkeep.js";

const rules = { backup: "backup_old", verification: "verification_old" } as const;

/** Notes a backup or a verification, or says that this role may not. */
export async function noteOrTell(sql: Sql, what: keyof typeof rules): Promise<void> {
  if (await noteUpkeep(sql, what)) return;
  process.stderr.write(
    `blockmill: the ${what} is not noted, since this role may only read: the alert ${rules[what]} does not know of it\n`,
  );
}
