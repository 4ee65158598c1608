import pg from "pg";
import { type ConnectionOptions, connectionConfig } from "../../db/connection.js";
import { findTableHolder } from "../../db/lock-waits.js";
import type { Logger } from "../../logger.js";
import { type BoardSettings, createBoard } from "./board.js";

/** A look that takes longer waits for a lock on a table that it reads itself: no rule would ever tell. */
const patienceMs = 5_000;

export interface NameHolderOptions {
  connection: ConnectionOptions;
  log: Logger;
  settings: BoardSettings;
  patienceMs?: number;
}

/**
 * Waits for a look. While it takes longer than a few seconds, who has locked a table of ours is looked for on a
 * connection of its own, and is told as the alert lock_wait, which the look itself clears when it goes on.
 */
export async function withNamedHolder<T>(
  look: Promise<T>,
  options: NameHolderOptions | undefined,
): Promise<T> {
  if (options === undefined) return look;
  const waitMs = options.patienceMs ?? patienceMs;
  const timer = setTimeout(() => void nameHolder(options, waitMs), waitMs);
  try {
    return await look;
  } finally {
    clearTimeout(timer);
  }
}

async function nameHolder({ connection, log, settings }: NameHolderOptions, waitsMs: number): Promise<void> {
  const applicationName = `${connection.applicationName} look`;
  const client = new pg.Client(connectionConfig({ ...connection, applicationName }));
  client.on("error", () => {});
  try {
    await client.connect();
    const holder = await findTableHolder(client, waitsMs);
    if (holder === null) return;
    // The alerts may be what is locked.
    await client.query("set lock_timeout = '2s'");
    await createBoard({ pool: client, log, settings })
      .raise("lock_wait", holder)
      .catch(() => log.error({ alert: "lock_wait" }, holder));
  } catch (error) {
    log.warn({ err: error }, "who holds up the alerts cannot be looked for");
  } finally {
    await client.end().catch(() => {});
  }
}
