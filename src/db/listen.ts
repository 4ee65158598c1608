import { Socket } from "node:net";
import pgListen, { type Subscriber } from "pg-listen";
import { DatabaseUnavailableError } from "../errors.js";
import { type ConnectionOptions, connectionConfig } from "./connection.js";
import { asDatabaseError } from "./database-error.js";

export interface Listener {
  /**
   * Somebody has just notified `pulseChannel`. A connection on which several pulses in a row do not
   * arrive is dead, though nothing says so, and is replaced.
   */
  pulseSent(): void;
  close(): Promise<void>;
}

export interface ListenOptions extends ConnectionOptions {
  channel: string;
  /** Notified now and then by somebody who tells `pulseSent` of it. */
  pulseChannel?: string;
  /** Called for each notification on `channel`. Its payload is not passed on: a notification is a hint. */
  onNotification(): void;
  /** Called whenever listening (re)starts: hints may have been lost before it. */
  onListening(): void;
  /** Called when the connection is lost or could not be made. Another one is made by itself. */
  onLost(error: unknown): void;
}

const retryMs = 250;
/** It doubles up to this with each connection that was not to be had. */
const mostRetryMs = 2_000;
/** So many pulses are missed before a connection counts as dead, ... */
const mostMissed = 3;
/** ... and what this process did not come to read yet may arrive for so long. */
const graceMs = 300;
const goodbyeMs = 1_000;

/**
 * Listens on a channel, on a connection of its own, until it is closed. While it listens it sends no
 * query. A lost connection is replaced by a whole new subscriber: pg-listen's own reconnecting is
 * switched off (retryLimit 1), since it cannot be stopped once it runs, and stays silent when the
 * connection breaks again between CONNECT and LISTEN.
 */
export function listen(options: ListenOptions): Listener {
  const { channel, pulseChannel } = options;
  let closed = false;
  let current: { subscriber: Subscriber; socket: Socket } | undefined;
  let restart: NodeJS.Timeout | undefined;
  let waitMs = retryMs;
  let pulseSent = (): void => {};

  const start = (): void => {
    // Ours, so that one to which nobody answers can be destroyed.
    const socket = new Socket();
    const subscriber = pgListen.default(
      { ...connectionConfig(options), stream: () => socket },
      { paranoidChecking: false, retryLimit: 1, parse: () => undefined },
    );
    const ours = { subscriber, socket };
    current = ours;
    let missed = 0;
    const replace = (error: unknown): void => {
      if (current !== ours) return;
      current = undefined;
      pulseSent = () => {};
      void close(ours);
      restart = setTimeout(start, waitMs);
      waitMs = Math.min(mostRetryMs, waitMs * 2);
      options.onLost(asDatabaseError(error));
    };
    const miss = (): void => {
      missed += 1;
      if (missed < mostMissed) return;
      setTimeout(() => {
        if (missed >= mostMissed)
          replace(new DatabaseUnavailableError("it is dead: pulses do not arrive any more"));
      }, graceMs).unref();
    };
    // pg-listen's own error says only that it did not reconnect.
    subscriber.events.on("error", () => replace(new Error("Connection terminated")));
    subscriber.events.on("notification", (notification) => {
      if (current !== ours) return;
      missed = 0;
      if (notification.channel === channel) options.onNotification();
    });
    const listenTo = async (): Promise<void> => {
      await subscriber.connect();
      if (pulseChannel !== undefined) await subscriber.listenTo(pulseChannel);
      await subscriber.listenTo(channel);
      if (current !== ours) return;
      waitMs = retryMs;
      if (pulseChannel !== undefined) pulseSent = miss;
      options.onListening();
    };
    listenTo().catch(replace);
  };
  start();

  return {
    pulseSent: () => pulseSent(),
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(restart);
      const last = current;
      current = undefined;
      if (last !== undefined) await close(last);
    },
  };
}

/** Says goodbye, and waits for nobody who does not answer. */
async function close({ subscriber, socket }: { subscriber: Subscriber; socket: Socket }): Promise<void> {
  const late = setTimeout(() => socket.destroy(), goodbyeMs);
  try {
    await subscriber.close();
  } catch {
    // It never connected, or its connection is gone: there is nothing to close.
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}
