import { isIPv6 } from "node:net";
import { DatabaseUrlError, parseDatabaseUrl } from "../database-url.js";
import { type AlertRuleName, alertRuleNames, alertRules, type RuleFields } from "./alert-rules.js";
import { mostWorkers, workerBounds } from "./workers.js";

/**
 * What a configuration value may be. Called with a value it throws unless the value fits (which is
 * what convict asks of a format); `parse` turns the text of an environment variable or a flag into a
 * value first. `expected` says in words what fits.
 */
export interface Format {
  (value: unknown): void;
  expected: string;
  parse(text: string): unknown;
  /** The form in which the configuration holds a value that fits; absent: as it is. */
  canonical?(value: unknown): unknown;
}

function format(
  expected: string,
  fits: (value: unknown) => boolean,
  parse: (text: string) => unknown,
): Format {
  const check = (value: unknown): void => {
    if (!fits(value)) throw new TypeError(`expected ${expected}`);
  };
  return Object.assign(check, { expected, parse });
}

/** Text that is not a number stays text, and is refused with the words of the format. */
function numberOrText(text: string): unknown {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : text;
}

export function integer({ min, max }: { min: number; max: number }): Format {
  return format(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
    numberOrText,
  );
}

export function number({ min, max }: { min: number; max: number }): Format {
  return format(
    `a number from ${min} to ${max}`,
    (value) => typeof value === "number" && value >= min && value <= max,
    numberOrText,
  );
}

/** pipeline.workers. As text: `8`, `auto` or `2-8`. */
export function workers(): Format {
  const fits = format(
    `a whole number from 1 to ${mostWorkers}, "auto", or {"min": 2, "max": 8}`,
    (value) => workerBounds(value) !== null,
    numberOrText,
  );
  return Object.assign(fits, {
    canonical(value: unknown): unknown {
      const bounds = typeof value === "object" ? workerBounds(value) : null;
      return bounds === null ? value : `${bounds.min}-${bounds.max}`;
    },
  });
}

export function boolean(): Format {
  const words: Record<string, boolean> = { true: true, false: false, "1": true, "0": false };
  return format(
    "true or false",
    (value) => typeof value === "boolean",
    (text) => words[text.toLowerCase()] ?? text,
  );
}

export function oneOf(words: string[]): Format {
  return format(
    `one of ${words.join(", ")}`,
    (value) => typeof value === "string" && words.includes(value),
    (text) => text,
  );
}

export function nullable(inner: Format): Format {
  return format(
    `${inner.expected}, or null`,
    (value) => {
      if (value === null) return true;
      inner(value);
      return true;
    },
    (text) => (text === "null" || text === "" ? null : inner.parse(text)),
  );
}

/** A name that needs no quoting anywhere: in SQL, in a channel's name, in a file's. */
export function identifier(): Format {
  return format(
    "a name of at most 48 letters, digits and underscores that begins with a letter or underscore",
    fitsName,
    (text) => text,
  );
}

function fitsName(value: unknown): boolean {
  return typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]{0,47}$/.test(value);
}

/** The name of a schema that may be ours: not one that PostgreSQL keeps for itself (CREATE SCHEMA, "Parameters"). */
export function schemaName(): Format {
  const name = identifier();
  return format(
    `${name.expected}, and is not PostgreSQL's own (pg_..., information_schema)`,
    (value) => fitsName(value) && !/^(pg_.*|information_schema)$/i.test(String(value)),
    name.parse,
  );
}

function isUrl(value: unknown, schemes: string[]): boolean {
  if (typeof value !== "string" || value.length > 4_096) return false;
  try {
    return schemes.includes(new URL(value).protocol.slice(0, -1));
  } catch {
    return false;
  }
}

/** A URL; empty: none is given. */
export function url({ schemes }: { schemes: string[] }): Format {
  return format(
    `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    (value) => value === "" || isUrl(value, schemes),
    (text) => text,
  );
}

/** The URL of a database; empty means that it is not set. Throws a MisfitError that tells nothing of the URL. */
export function databaseUrl(): Format {
  const check = (value: unknown): void => {
    if (value === "") return;
    try {
      parseDatabaseUrl(typeof value === "string" ? value : "");
    } catch (error) {
      if (error instanceof DatabaseUrlError) throw new MisfitError([], error.expected, error.actual);
      throw error;
    }
  };
  return Object.assign(check, {
    expected: "a URL that begins with postgres:// or postgresql://",
    parse: (text: string) => text,
  });
}

/** HOST:PORT, or nothing. Port 0: any that is free. */
export function listenAddress(): Format {
  const fits = format(
    "an address such as 127.0.0.1:9464 or [::1]:9464, or nothing",
    (value) =>
      value === null || value === "" || (typeof value === "string" && readListenAddress(value) !== null),
    (text) => (text === "null" ? null : text),
  );
  return Object.assign(fits, { canonical: (value: unknown) => value ?? "" });
}

export interface ListenAddress {
  host: string;
  port: number;
}

/** What a listen address says; null: it is none. */
export function readListenAddress(text: string): ListenAddress | null {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return null;
  return bracketed === undefined || isIPv6(bracketed) ? { host, port } : null;
}

/** Names of hosts, without ports. As text: separated by commas or spaces. */
export function hostNames(): Format {
  return format(
    "a list of host names, without ports",
    (value) =>
      Array.isArray(value) &&
      value.every((each) => typeof each === "string" && /^[a-z\d_]([a-z\d_.-]{0,251}[a-z\d_])?$/i.test(each)),
    (text) => text.split(/[\s,]+/).filter((each) => each !== ""),
  );
}

/** A secret that goes into an HTTP header; empty: there is none. */
export function token(): Format {
  return format(
    "a secret of 16 to 512 printable characters without blanks",
    (value) => typeof value === "string" && (value === "" || /^[\x21-\x7e]{16,512}$/.test(value)),
    (text) => text,
  );
}

/** A value inside a structured one does not fit. */
export class MisfitError extends TypeError {
  constructor(
    /** From the key's own value to the one that does not fit, such as [1, "weight"]. */
    readonly path: (string | number)[],
    readonly expected: string,
    /** As text for a message; never a secret. */
    readonly actual: string,
  ) {
    super(`expected ${expected}`);
  }
}

/** What an endpoint's object may say beside its `url`. */
const endpointFields: Record<string, Format> = {
  weight: number({ min: 0.01, max: 1_000 }),
  requests_per_second: number({ min: 0.1, max: 1_000_000 }),
  max_in_flight: integer({ min: 1, max: 10_000 }),
  batch_size: integer({ min: 1, max: 10_000 }),
  timeout_ms: integer({ min: 1, max: 600_000 }),
  log_range: integer({ min: 1, max: 1_000_000_000 }),
  compress: boolean(),
};

/**
 * A list of endpoints: each a URL, or an object with a `url` and limits. As text: URLs separated by
 * commas or spaces.
 */
export function endpoints({ schemes }: { schemes: string[] }): Format {
  const urlWords = `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`;
  const checkUrl = (value: unknown, path: (string | number)[]): void => {
    // What is not a URL may still be a mistyped one, with its key in it.
    if (!isUrl(value, schemes)) throw new MisfitError(path, urlWords, "something else");
  };
  return format(
    "a list of URLs, or of objects with a url",
    (value) => {
      if (!Array.isArray(value)) return false;
      const seen = new Set<string>();
      for (const [i, each] of value.entries()) {
        const isPlain = typeof each !== "object" || each === null || Array.isArray(each);
        if (isPlain) checkUrl(each, [i]);
        else checkEndpoint(each as Record<string, unknown>, i, checkUrl);
        const text = urlOf(each as string | { url: string });
        if (seen.has(text)) throw new MisfitError([i], "each URL once", "one that stands above");
        seen.add(text);
      }
      return true;
    },
    (text) => text.split(/[\s,]+/).filter((each) => each !== ""),
  );
}

/** The URL of an item of `rpc.urls`. */
export function urlOf(endpoint: string | { url: string }): string {
  return typeof endpoint === "string" ? endpoint : endpoint.url;
}

function checkEndpoint(
  fields: Record<string, unknown>,
  index: number,
  checkUrl: (value: unknown, path: (string | number)[]) => void,
): void {
  checkUrl(fields.url, fields.url === undefined ? [index] : [index, "url"]);
  for (const [name, value] of Object.entries(fields)) {
    if (name === "url") continue;
    const check = Object.hasOwn(endpointFields, name) ? endpointFields[name] : undefined;
    const names = ["url", ...Object.keys(endpointFields)].join(", ");
    if (check === undefined) throw new MisfitError([index, name], `only ${names}`, "another key");
    try {
      check(value);
    } catch {
      const text = JSON.stringify(value) ?? "nothing";
      throw new MisfitError([index, name], check.expected, text.slice(0, 80));
    }
  }
}

/** What an alert rule's object may say. A rule without a threshold takes none. */
const ruleFields: Record<keyof RuleFields, Format> = {
  threshold: number({ min: 0, max: 1_000_000_000 }),
  for_seconds: number({ min: 0, max: 86_400 }),
  clear_seconds: number({ min: 0, max: 86_400 }),
  off: boolean(),
};

/** alerts.rules: an object with an object for each rule that is to be otherwise. As text: the same as JSON. */
export function alertRuleSettings(): Format {
  const fits = format(
    'an object such as {"jobs_waiting": {"threshold": 5000, "for_seconds": 300}}',
    (value) => {
      if (value === "") return true;
      if (!isObject(value)) return false;
      for (const [name, fields] of Object.entries(value)) checkRule(name, fields);
      return true;
    },
    (text) => {
      try {
        return text === "" ? "" : (JSON.parse(text) as unknown);
      } catch {
        return text;
      }
    },
  );
  // convict would take an object for a section of keys.
  const check = (value: unknown): void => fits(typeof value === "string" ? fits.parse(value) : value);
  return Object.assign(check, {
    expected: fits.expected,
    parse: fits.parse,
    canonical: (value: unknown) => (isObject(value) ? JSON.stringify(value) : value),
  });
}

function checkRule(name: string, fields: unknown): void {
  const rule = Object.hasOwn(alertRules, name) ? alertRules[name as AlertRuleName] : undefined;
  if (rule === undefined)
    throw new MisfitError([name], `one of ${alertRuleNames.join(", ")}`, "another name");
  if (!isObject(fields)) throw new MisfitError([name], "an object", JSON.stringify(fields).slice(0, 80));
  for (const [field, value] of Object.entries(fields)) {
    const known = Object.hasOwn(ruleFields, field) ? ruleFields[field as keyof RuleFields] : undefined;
    const names = Object.keys(ruleFields).join(", ");
    if (known === undefined) throw new MisfitError([name, field], `only ${names}`, "another key");
    if (field === "threshold" && rule.threshold === null)
      throw new MisfitError([name, field], "none: this rule has no threshold", JSON.stringify(value));
    if (field === "for_seconds" && rule.isEvent)
      throw new MisfitError([name, field], "none: this alert is raised as it happens", JSON.stringify(value));
    try {
      known(value);
    } catch {
      throw new MisfitError([name, field], known.expected, (JSON.stringify(value) ?? "nothing").slice(0, 80));
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A path of the file system; empty: none. */
export function file(): Format {
  return format(
    "an absolute path",
    (value) => typeof value === "string" && (value === "" || /^\/[^\0]{0,4094}$/.test(value)),
    (text) => text,
  );
}
