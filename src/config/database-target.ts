import { existsSync } from "node:fs";
import { type DatabaseUrl, parseDatabaseUrl } from "../database-url.js";
import { ConfigError } from "../errors.js";
import { environment } from "./environment.js";

/** Where connections of a URL lead, PG* variables and libpq's defaults included. */
export interface DatabaseTarget extends Pick<DatabaseUrl, "user" | "password" | "database"> {
  /** A name, an address, or the folder of a socket. */
  host: string;
  port: number;
  /** libpq's `options` of the URL, before ours. */
  options: string | undefined;
  channelBinding: boolean;
  tls: Tls;
}

/**
 * `off`: as before TLS; `unverified`: TLS with whoever answers, which only sslmode=no-verify asks for; `verified`: the
 * certificate's chain and name are checked, also where libpq would not (sslmode=require, prefer, verify-ca). Files by path.
 */
export type Tls =
  | { kind: "off"; isAsked: boolean }
  | {
      kind: "verified" | "unverified";
      direct: boolean;
      /** Undefined: the authorities that Node.js knows. */
      rootCert: string | undefined;
      cert: string | undefined;
      key: string | undefined;
    };

const defaultPort = 5_432;
/** Debian's, and PostgreSQL's own. */
const socketFolders = ["/var/run/postgresql", "/tmp"];

/** Where a URL leads. It was checked with the configuration; throws a ConfigError where a PG* variable does not fit. */
export function databaseTarget(url: string, env: NodeJS.ProcessEnv = environment): DatabaseTarget {
  const { host, port, user, password, database, parameters } = parseDatabaseUrl(url);
  const theirs = host ?? env.PGHOST;
  if (theirs?.includes(","))
    throw new ConfigError("$PGHOST: expected one host, got several", { key: "$PGHOST" });
  const thePort = port ?? readPort(env.PGPORT);
  const theHost = theirs || defaultHost(thePort);
  return {
    host: theHost,
    port: thePort,
    user: user ?? (env.PGUSER || undefined),
    password: password ?? (env.PGPASSWORD || undefined),
    database: database ?? (env.PGDATABASE || undefined),
    options: parameters.options,
    channelBinding: ["prefer", "require"].includes(parameters.channel_binding ?? ""),
    // libpq does not encrypt what never leaves the host.
    tls: theHost.startsWith("/") ? { kind: "off", isAsked: false } : tlsOf(parameters, env),
  };
}

function tlsOf(parameters: DatabaseUrl["parameters"], env: NodeJS.ProcessEnv): Tls {
  const mode = parameters.sslmode ?? env.PGSSLMODE;
  const rootCert = parameters.sslrootcert ?? (env.PGSSLROOTCERT || undefined);
  const cert = parameters.sslcert ?? (env.PGSSLCERT || undefined);
  const key = parameters.sslkey ?? (env.PGSSLKEY || undefined);
  const direct = parameters.sslnegotiation === "direct";
  if (mode === "disable") return { kind: "off", isAsked: true };
  const isAsked = Boolean(mode) || direct || Boolean(parameters.sslrootcert ?? parameters.sslcert);
  if (!isAsked) return { kind: "off", isAsked: false };
  return {
    kind: mode === "no-verify" ? "unverified" : "verified",
    direct,
    rootCert: rootCert === "system" ? undefined : rootCert,
    cert,
    key,
  };
}

function readPort(text: string | undefined): number {
  if (!text) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new ConfigError("$PGPORT: expected one port from 1 to 65535, got something else", { key: "$PGPORT" });
}

/** As libpq: the socket of this host's server, where there is one. */
function defaultHost(port: number): string {
  return socketFolders.find((folder) => existsSync(`${folder}/.s.PGSQL.${port}`)) ?? "localhost";
}
