import { readFileSync } from "node:fs";
import { ConfigError } from "../errors.js";
import { describePlace, lineOfOffset } from "./place.js";
import { type Config, convictOverKeys, type Key, listKeys } from "./schema.js";

export interface LoadedConfig {
  config: Config;
  /** Where each key's value came from, by its dotted path: `default`, a file's name, `$VARIABLE`, or a flag. */
  sources: Map<string, string>;
}

export interface ConfigInput {
  /** The path of a JSON file. */
  file?: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Values from the command line, by dotted path, with the flag's name for messages. */
  flags?: { path: string; flag: string; value: unknown }[];
}

interface Setting {
  path: string;
  value: unknown;
  source: string;
  /** For messages: the file and line, the variable, or the flag. */
  place: string;
}

// Read by src/cli or the test suite, and no configuration keys.
const otherVariables = /^BLOCKMILL_(CONFIG$|TEST_)/;

/**
 * The effective configuration: defaults, then the file, then BLOCKMILL_* variables, then flags.
 * Throws a ConfigError that names the key, its place and what was expected; every value of every
 * layer is checked, also one that a later layer replaces.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const known = new Map(listKeys().map((key) => [key.path, key]));
  const settings = [
    ...(input.file === undefined ? [] : settingsOfFile(input.file, known)),
    ...settingsOfEnv(input.env, known),
    ...(input.flags ?? []).map(({ path, flag, value }) => ({ path, value, source: flag, place: flag })),
  ];
  const convicted = convictOverKeys();
  const sources = new Map([...known.keys()].map((path) => [path, "default"]));
  for (const { path, value, source, place } of settings) {
    const key = known.get(path);
    if (key === undefined) throw unknownKey(path, place, known);
    try {
      key.format(value);
    } catch {
      throw new ConfigError(
        `${path} (${place}): expected ${key.format.expected}, got ${key.sensitive ? "something else" : shorten(value)}`,
        { key: path },
      );
    }
    convicted.set(path, value);
    sources.set(path, source);
  }
  convicted.validate({ allowed: "strict" });
  const config = convicted.getProperties() as unknown as Config;
  checkTogether(config);
  return { config, sources };
}

/** Throws unless each of these keys has a value. For commands that need them. */
export function requireKeys(config: Config, paths: ("database.url" | "rpc.urls")[]): void {
  const values = { "database.url": config.database.url, "rpc.urls": config.rpc.urls };
  for (const path of paths) {
    if (values[path].length > 0) continue;
    const key = listKeys().find((each) => each.path === path);
    throw new ConfigError(
      `${path} is not set: put it into the configuration file (--config), or into ${key?.env}. ${key?.doc}`,
      { key: path },
    );
  }
}

function checkTogether(config: Config): void {
  if (config.pipeline.backoff_max_seconds < config.pipeline.backoff_seconds) {
    throw new ConfigError("pipeline.backoff_max_seconds: expected at least pipeline.backoff_seconds", {
      key: "pipeline.backoff_max_seconds",
    });
  }
}

function settingsOfFile(file: string, known: Map<string, Key>): Setting[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(
      `the configuration file ${file} cannot be read: ${(cause as Error).message}`,
      {},
      { cause },
    );
  }
  const tree = parseJson(file, text);
  if (!isObject(tree)) throw new ConfigError(`${file}: expected a JSON object, got ${shorten(tree)}`);
  const settings: Setting[] = [];
  const sections = new Set([...known.keys()].map((path) => path.split(".")[0]));
  for (const [section, leaves] of Object.entries(tree)) {
    const place = (path: string[]) => describePlace(file, text, path);
    if (!sections.has(section)) throw unknownKey(section, place([section]), known);
    if (!isObject(leaves)) {
      throw new ConfigError(`${section} (${place([section])}): expected an object, got ${shorten(leaves)}`, {
        key: section,
      });
    }
    for (const [name, value] of Object.entries(leaves)) {
      settings.push({ path: `${section}.${name}`, value, source: file, place: place([section, name]) });
    }
  }
  return settings;
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8 names the position in some of its messages, the line in others, and nothing at an early end.
    const message = (cause as Error).message;
    const at = /position (\d+)/.exec(message)?.[1];
    const line = at === undefined ? lineOfOffset(text, text.length) : lineOfOffset(text, Number(at));
    throw new ConfigError(
      `${file}:${line}: this is not JSON: ${message.replace(/,? ?\.\.\..*$/s, "")}`,
      {},
      { cause },
    );
  }
}

function settingsOfEnv(env: NodeJS.ProcessEnv, known: Map<string, Key>): Setting[] {
  const byVariable = new Map([...known.values()].map((key) => [key.env, key]));
  const settings: Setting[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith("BLOCKMILL_") || otherVariables.test(variable) || text === undefined) continue;
    const key = byVariable.get(variable);
    if (key === undefined) {
      throw new ConfigError(
        `$${variable}: there is no such setting${nearest(variable, [...byVariable.keys()])}`,
      );
    }
    const source = `$${variable}`;
    settings.push({ path: key.path, value: key.format.parse(text), source, place: source });
  }
  return settings;
}

function unknownKey(path: string, place: string, known: Map<string, Key>): ConfigError {
  return new ConfigError(`${path} (${place}): there is no such key${nearest(path, [...known.keys()])}`, {
    key: path,
  });
}

function nearest(name: string, candidates: string[]): string {
  const scored = candidates.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  const best = scored.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= 4
    ? `; did you mean ${best.candidate}?`
    : "; blockmill config --explain lists them all";
}

function editDistance(a: string, b: string): number {
  if (a.length > 100) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
