import pg from "pg";

export interface ListenForEventsOptions {
  channels: readonly string[];
  /** Called for each notification. Its payload is not passed on: anybody may notify. */
  onEvent(channel: string): void;
}

export interface EventsListener {
  /** Sees to it that the connection listens. To be called before each read: one that was lost is made again by that. */
  listen(): Promise<void>;
  /** Nobody looks any more. */
  unlisten(): void;
}

/** Has the connection of a pool, which has one at a time, listen while somebody looks. */
export function listenForEvents(
  pool: pg.Pool,
  { channels, onEvent }: ListenForEventsOptions,
): EventsListener {
  const statement = (verb: "listen" | "unlisten"): string =>
    channels.map((channel) => `${verb} ${pg.escapeIdentifier(channel)}`).join("; ");
  let isListening = false;
  pool.on("connect", (client) => {
    isListening = false;
    client.on("notification", ({ channel }) => {
      if (isListening && channels.includes(channel)) onEvent(channel);
    });
  });
  return {
    async listen() {
      if (isListening) return;
      await pool.query(statement("listen"));
      isListening = true;
    },
    unlisten() {
      if (!isListening) return;
      isListening = false;
      // Where it fails, the connection is gone, and what it listened to with it.
      pool.query(statement("unlisten")).catch(() => {});
    },
  };
}
