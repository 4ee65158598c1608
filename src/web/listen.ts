import { rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import path from "node:path";
import type { ListenAddress } from "../config/formats.js";
import type { Logger } from "../logger.js";

export interface ListenOptions {
  address: ListenAddress;
  /** Where the socket `web` is made; undefined: nowhere. */
  directory: string | undefined;
  handle: RequestListener;
  log: Logger;
  limits?: Partial<Limits>;
}

/** What one client may take. */
export interface Limits {
  /** Connections at once, of each of the two places. */
  connections: number;
  headerBytes: number;
  /** Within which a request's head must have come, and all of it. */
  headMs: number;
  requestMs: number;
  /** How long a connection may be silent: one whose reader takes nothing. */
  silentMs: number;
  /** How long a connection is kept for a next request. */
  keptMs: number;
  /** How often an address that cannot be had is tried again. */
  retryMs: number;
}

const usual: Limits = {
  connections: 128,
  headerBytes: 8_192,
  headMs: 5_000,
  requestMs: 10_000,
  silentMs: 60_000,
  keptMs: 15_000,
  retryMs: 15_000,
};

/** HTTP on an address, and on a Unix socket. */
export interface Listening {
  /** The address that it listens on, HOST:PORT; undefined: it cannot be had (yet). */
  readonly address: string | undefined;
  /** Resolves when both were tried for the first time. */
  readonly tried: Promise<void>;
  /** Ends every connection. */
  close(): void;
}

/**
 * Serves HTTP. An address that cannot be had, since another instance has it, say, is a warning: it is tried again now and
 * then, and the socket serves meanwhile.
 */
export function listenForHttp({ address, directory, handle, log, limits = {} }: ListenOptions): Listening {
  const within = { ...usual, ...limits };
  const tcp = createHttpServer(handle, within);
  const written = `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
  let listening: string | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isWarned = false;
  let isClosed = false;

  const tryAddress = (): Promise<void> =>
    new Promise((resolve) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        tcp.off("listening", succeeded);
        if (!isWarned)
          log.warn(
            { address: written, code: error.code },
            `web.listen: ${written} cannot be listened on (${error.code}); trying again now and then. ` +
              "Another instance may have it: give each its own web.listen",
          );
        isWarned = true;
        if (!isClosed) retry = setTimeout(() => void tryAddress(), within.retryMs);
        resolve();
      };
      const succeeded = (): void => {
        tcp.off("error", failed);
        const bound = tcp.address();
        const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
        listening = written.replace(/:\d+$/, `:${port}`);
        log.info({ address: listening }, `serving http://${listening}`);
        resolve();
      };
      tcp.once("error", failed);
      tcp.once("listening", succeeded);
      tcp.listen(address.port, address.host);
    });

  const unix = directory === undefined ? undefined : createHttpServer(handle, within);
  const trySocket = (): Promise<void> =>
    new Promise((resolve) => {
      if (unix === undefined || directory === undefined) return resolve();
      const file = path.join(directory, "web");
      // One that a killed predecessor left.
      rmSync(file, { force: true });
      unix.once("error", (error: NodeJS.ErrnoException) => {
        log.warn({ file, code: error.code }, `${file} cannot be listened on (${error.code})`);
        resolve();
      });
      unix.once("listening", resolve);
      unix.listen(file);
    });

  const tried = Promise.all([tryAddress(), trySocket()]).then(() => {});
  return {
    get address() {
      return listening;
    },
    tried,
    close() {
      isClosed = true;
      clearTimeout(retry);
      for (const server of [tcp, unix]) {
        server?.close();
        server?.closeAllConnections();
      }
    },
  };
}

function createHttpServer(handle: RequestListener, limits: Limits): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keptMs,
      // How often the first two are looked after.
      connectionsCheckingInterval: Math.min(1_000, limits.headMs),
    },
    handle,
  );
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 64;
  server.timeout = limits.silentMs;
  return server;
}
