// PostgreSQL's connection URIs, by libpq's rules: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
// The WHATWG parser reads them otherwise (a "#" ends it, a socket is no host, two hosts are none).

/** What a URL of a database says; what it leaves out comes from PG* variables, ~/.pgpass, or a default. */
export interface DatabaseUrl {
  /** A name, an address, or the folder of a socket. */
  host: string | undefined;
  port: number | undefined;
  user: string | undefined;
  password: string | undefined;
  database: string | undefined;
  /** As it stands in the URL, for whoever blots it out. */
  writtenPassword: string | undefined;
  /** Those of `parameterNames`, decoded. */
  parameters: Readonly<Partial<Record<Parameter, string>>>;
}

/** A URL that cannot be worked with. Neither word repeats any part of it: whatever stands in the wrong place may be a secret. */
export class DatabaseUrlError extends TypeError {
  constructor(
    readonly expected: string,
    readonly actual: string,
  ) {
    super(`expected ${expected}, got ${actual}`);
  }
}

export type Parameter =
  | "sslmode"
  | "sslrootcert"
  | "sslcert"
  | "sslkey"
  | "sslnegotiation"
  | "channel_binding"
  | "options";

/** Those that blockmill heeds. */
const parameterNames: readonly string[] = [
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslnegotiation",
  "channel_binding",
  "options",
] satisfies Parameter[];

/** Those that say again what stands before the "?". */
const placeNames = ["host", "port", "user", "password", "dbname"];

/** Those that blockmill sets itself, or that mean nothing to it. */
const unheeded = [
  "application_name",
  "fallback_application_name",
  "connect_timeout",
  "client_encoding",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
];

const allowed: Record<string, readonly string[]> = {
  sslmode: ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"],
  sslnegotiation: ["postgres", "direct"],
  channel_binding: ["disable", "prefer", "require"],
  // blockmill writes: it always needs the primary.
  target_session_attrs: ["any", "read-write", "primary"],
  gssencmode: ["disable", "prefer"],
  load_balance_hosts: ["disable"],
};

const longest = 4_096;

/** Reads the URL of a database. Throws a DatabaseUrlError. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const scheme = /^postgres(?:ql)?:\/\//.exec(text)?.[0];
  if (scheme === undefined || text.length > longest)
    throw new DatabaseUrlError("a URL that begins with postgres:// or postgresql://", "something else");
  if (/\s/.test(text))
    throw new DatabaseUrlError("no white space", "some: percent-encode it (a blank is %20)");
  const { user, password, rest } = splitUser(text.slice(scheme.length));
  const [, hostAndPort = "", path = "", query = ""] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  // First: what stands behind a ":" may be a password that is cut short by its "?".
  const { host, port } = splitHost(hostAndPort);
  readPort(port || undefined);
  const given = readQuery(query);
  const written = given.get("password") ?? password;
  const said = (name: string, before: string | undefined): string | undefined =>
    decode(given.get(name) ?? before ?? "") || undefined;
  return {
    host: oneHost(said("host", host)),
    port: readPort(said("port", port)),
    user: said("user", user),
    password: said("password", password),
    database: said("dbname", path),
    writtenPassword: written || undefined,
    parameters: readParameters(given),
  };
}

/** The user ends at the first "@", if that comes before the first "/". */
function splitUser(text: string): { user?: string; password?: string; rest: string } {
  const slash = text.search(/\/|$/);
  const at = text.indexOf("@");
  if (at > slash && text.indexOf("@", slash) < text.search(/\?|$/))
    throw new DatabaseUrlError(
      'no "/" before the "@"',
      "one: in a user or a password, percent-encode it (%2F)",
    );
  if (at === -1 || at > slash) return { rest: text };
  const rest = text.slice(at + 1);
  if (rest.slice(0, rest.search(/[/?]|$/)).includes("@"))
    throw new DatabaseUrlError(
      'one "@", before the host',
      "more: in a user or a password, percent-encode it (%40)",
    );
  const [, user = "", password] = /^([^:]*)(?::(.*))?$/s.exec(text.slice(0, at)) ?? [];
  return { user, ...(password !== undefined && { password }), rest };
}

const severalHosts = [
  "one host",
  "several: blockmill does not try one after the other; name the primary's address, or a proxy's that leads to it",
] as const;

function splitHost(text: string): { host: string; port: string | undefined } {
  if (text.includes(",")) throw new DatabaseUrlError(...severalHosts);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined)
    throw new DatabaseUrlError("a host, and an IPv6 address in brackets", "something else");
  return { host, port };
}

function oneHost(host: string | undefined): string | undefined {
  if (host?.includes(",")) throw new DatabaseUrlError(...severalHosts);
  return host;
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new DatabaseUrlError(
    'a port from 1 to 65535 behind the host\'s ":"',
    'something else: if it belongs to a password, percent-encode what stands there ("/" is %2F, "?" is %3F)',
  );
}

/** As written, by name: the last one of each. */
function readQuery(query: string): Map<string, string> {
  if (query === "") return new Map();
  const known = [...parameterNames, ...placeNames, ...unheeded, ...Object.keys(allowed), "ssl"];
  return new Map(
    query.split("&").map((pair, index) => {
      const [name = "", value, ...more] = pair.split("=");
      const place = `the parameter ${index + 1} behind the "?"`;
      if (value === undefined || more.length > 0)
        throw new DatabaseUrlError(
          `name=value as ${place}`,
          'something else: percent-encode "=" and "&" in values (%3D, %26)',
        );
      if (known.includes(name)) return [name, value];
      throw new DatabaseUrlError(
        `${place} to be one of ${[...parameterNames, ...placeNames].join(", ")}`,
        "another one",
      );
    }),
  );
}

function readParameters(given: ReadonlyMap<string, string>): DatabaseUrl["parameters"] {
  const decoded = new Map([...given].map(([name, value]) => [name, decode(value)]));
  const ssl = decoded.get("ssl");
  if (ssl !== undefined && !decoded.has("sslmode")) decoded.set("sslmode", sslWords[ssl] ?? "?");
  for (const [name, values] of Object.entries(allowed)) {
    const value = decoded.get(name);
    if (value !== undefined && !values.includes(value))
      throw new DatabaseUrlError(`${name} to be one of ${values.join(", ")}`, "another word");
  }
  return Object.fromEntries(
    [...decoded].filter(([name, value]) => parameterNames.includes(name) && value !== ""),
  );
}

/** JDBC's and node-postgres' shorter word. */
const sslWords: Record<string, string> = {
  true: "require",
  "1": "require",
  false: "disable",
  "0": "disable",
};

function decode(text: string): string {
  if (/%(?![\da-f]{2})/i.test(text))
    throw new DatabaseUrlError(
      'two hexadecimal digits behind each "%"',
      "others: percent-encode the % itself (%25)",
    );
  if (text.includes("%00")) throw new DatabaseUrlError("no %00", "one");
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DatabaseUrlError("what is percent-encoded to be UTF-8", "other bytes");
  }
}
