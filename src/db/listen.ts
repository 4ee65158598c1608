import pgListen, { type Subscriber } from "pg-listen";
import { type ConnectionOptions, connectionConfig } from "./connection.js";
import { asDatabaseError } from "./database-error.js";

export interface Listener {
  close(): Promise<void>;
}

export interface ListenOptions extends ConnectionOptions {
  channel: string;
  /** Called for each notification. Its payload is not passed on: a notification is a hint. */
  onNotification(): void;
  /** Called whenever listening (re)starts: hints may have been lost before it. */
  onListening(): void;
  /** Called when the connection is lost or could not be made. Another one is made by itself. */
  onLost(error: unknown): void;
}

const retryMs = 250;

/**
 * Listens on a channel, on a connection of its own, until it is closed. While it listens it sends no
 * query. A lost connection is replaced by a whole new subscriber: pg-listen's own reconnecting is
 * switched off (retryLimit 1), since it cannot be stopped once it runs, and stays silent when the
 * connection breaks again between CONNECT and LISTEN.
 */
export function listen(options: ListenOptions): Listener {
  let closed = false;
  let current: Subscriber | undefined;
  let restart: NodeJS.Timeout | undefined;

  const start = (): void => {
    const subscriber = pgListen.default(connectionConfig(options), {
      paranoidChecking: false,
      retryLimit: 1,
      parse: () => undefined,
    });
    current = subscriber;
    const replace = (error: unknown): void => {
      if (current !== subscriber) return;
      current = undefined;
      void closeQuietly(subscriber);
      restart = setTimeout(start, retryMs);
      options.onLost(asDatabaseError(error));
    };
    // pg-listen's own error says only that it did not reconnect.
    subscriber.events.on("error", () => replace(new Error("Connection terminated")));
    subscriber.events.on("notification", () => {
      if (current === subscriber) options.onNotification();
    });
    subscriber
      .connect()
      .then(() => subscriber.listenTo(options.channel))
      .then(() => {
        if (current === subscriber) options.onListening();
      }, replace);
  };
  start();

  return {
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(restart);
      const last = current;
      current = undefined;
      if (last !== undefined) await closeQuietly(last);
    },
  };
}

async function closeQuietly(subscriber: Subscriber): Promise<void> {
  try {
    await subscriber.close();
  } catch {
    // It never connected, or its connection is gone: there is nothing to close.
  }
}
