import type { Socket } from "node:net";
import type { buildConnector, Client } from "undici";
import createConnector from "undici/lib/core/connect.js";
import UndiciClient from "undici/lib/dispatcher/client.js";

/** An idle connection is closed after this. Servers close theirs too. */
const idleMs = 30_000;
/** Before a server says that it closes a connection, we do: what it is sent after that is lost. */
const beforeServerMs = 1_000;
/** An idle connection asks after this whether the other side is still there. */
const probeAfterMs = 1_000;

/** One connection to a server. It is made with the first request and carries one at a time. */
export interface KeptConnection {
  readonly client: Client;
  /** Whether it has served a request before. */
  readonly isReused: boolean;
  /** A request on it was answered. */
  served(): void;
  /** Free for the next request. */
  giveBack(): void;
  /** Closes it at once, in whatever state it is: connecting, waiting, or in the middle of an answer. */
  end(): void;
}

/**
 * Connections to one origin over HTTP/1.1 that are kept between requests. There are as many as there are requests
 * at a time, which the throttle of the endpoint bounds.
 *
 * undici has pools too. This one knows which connection a request is on: giving a request up closes that one, also
 * while it is being made, and a request that failed on a reused connection is known from one on a new connection.
 */
export class KeptConnections {
  readonly #origin: string;
  readonly #connect: buildConnector.connector;
  readonly #open = new Set<KeptConnection>();
  /** The one that was used last is at the end: it is the least likely to be closed by the server. */
  readonly #idle: KeptConnection[] = [];

  constructor(origin: string) {
    this.#origin = origin;
    // Requests have timeouts of their own. Shared by the connections, it lets them resume TLS sessions.
    this.#connect = createConnector({
      allowH2: false,
      timeout: 0,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
    });
  }

  /** An idle connection, or a new one. */
  take({ isNew = false }: { isNew?: boolean } = {}): KeptConnection {
    return (isNew ? undefined : this.#idle.pop()) ?? this.#openConnection();
  }

  close(): void {
    for (const connection of [...this.#open]) connection.end();
  }

  #openConnection(): KeptConnection {
    let socket: Socket | undefined;
    let isReused = false;
    const client = new UndiciClient(this.#origin, {
      // The socket is kept because a client that is destroyed leaves an attempt to connect alone.
      connect: (options, callback) => {
        socket = this.#connect(options, callback) as unknown as Socket;
        return socket;
      },
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      keepAliveTimeoutThreshold: beforeServerMs,
    });
    const connection: KeptConnection = {
      client,
      get isReused() {
        return isReused;
      },
      served: () => {
        isReused = true;
      },
      giveBack: () => {
        isReused = true;
        if (this.#open.has(connection)) this.#idle.push(connection);
      },
      end: () => {
        if (!this.#open.delete(connection)) return;
        this.#forgetIdle(connection);
        void client.destroy();
        socket?.destroy();
      },
    };
    client.on("disconnect", () => {
      if (this.#idle.includes(connection)) connection.end();
    });
    this.#open.add(connection);
    return connection;
  }

  #forgetIdle(connection: KeptConnection): void {
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
  }
}
