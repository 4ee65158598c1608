import { ConfigError } from "../errors.js";
import { secretsOfUrl } from "../redact.js";
import { readConfigFile } from "./config-file.js";
import { type Credential, readCredentials, readCredentialsBeside } from "./credentials.js";
import { MisfitError } from "./formats.js";
import { type Config, convictOverKeys, type Key, listKeys } from "./schema.js";

export interface LoadedConfig {
  config: Config;
  /** Where each key's value came from, by its dotted path: `default`, a file's name, `credential NAME`, `$VARIABLE`, or a flag. */
  sources: Map<string, string>;
  /** The files that hold a secret, whether it is the one that counts or not. */
  secretFiles: string[];
}

export interface ConfigInput {
  /** The path of a JSON file. */
  file?: string | undefined;
  env: NodeJS.ProcessEnv;
  flags?: Flag[];
}

/** A value from the command line, by dotted path, with the flag's name for messages. `text` is parsed as the key says. */
export type Flag = { path: string; flag: string } & ({ value: unknown } | { text: string });

interface Setting {
  path: string;
  value: unknown;
  source: string;
  /** The file that it stands in, if it does in one that was named or lies beside that. */
  file?: string;
  /** For messages: the file and line of the value, or of one inside it; the variable; or the flag. */
  place(inner?: readonly (string | number)[]): string;
}

// Read by src/cli or the test suite, and no configuration keys.
const otherVariables = /^BLOCKMILL_(CONFIG$|TEST_)/;

/**
 * The effective configuration: defaults, then the file, then the credentials in $CREDENTIALS_DIRECTORY or else
 * those beside the file, then BLOCKMILL_* variables, then flags.
 * Throws a ConfigError that names the key, its place and what was expected; every value of every
 * layer is checked, also one that a later layer replaces.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const known = new Map(listKeys().map((key) => [key.path, key]));
  const settings = [
    ...(input.file === undefined ? [] : settingsOfFile(input.file, known)),
    ...settingsOfCredentials(input, known),
    ...settingsOfEnv(input.env, known),
    ...settingsOfFlags(input.flags ?? [], known),
  ];
  const convicted = convictOverKeys();
  const sources = new Map([...known.keys()].map((path) => [path, "default"]));
  for (const { path, value, source, place } of settings) {
    const key = known.get(path);
    if (key === undefined) throw unknownKey(path, place(), [...known.keys()]);
    try {
      key.format(value);
    } catch (cause) {
      throw misfit({ key, value, place, cause });
    }
    convicted.set(path, key.format.canonical === undefined ? value : key.format.canonical(value));
    sources.set(path, source);
  }
  convicted.validate({ allowed: "strict" });
  const config = convicted.getProperties() as unknown as Config;
  checkTogether(config, settings);
  const secretFiles = settings.flatMap(({ path, value, file }) =>
    file !== undefined &&
    known.get(path)?.sensitive &&
    (path === "web.token" ? value !== "" : holdsSecret(value))
      ? [file]
      : [],
  );
  return { config, sources, secretFiles: [...new Set(secretFiles)] };
}

/** Throws unless each of these keys has a value. For commands that need them. */
export function requireKeys(config: Config, paths: ("database.url" | "rpc.urls")[]): void {
  const values = { "database.url": config.database.url, "rpc.urls": config.rpc.urls };
  for (const path of paths) {
    if (values[path].length > 0) continue;
    const key = listKeys().find((each) => each.path === path);
    throw new ConfigError(
      `${path} is not set: put it into the configuration file (--config) or $${key?.env}; blockmill config --explain says how`,
      { key: path },
    );
  }
}

function checkTogether(config: Config, settings: Setting[]): void {
  const { backoff_seconds: first, backoff_max_seconds: longest } = config.pipeline;
  if (longest >= first) return;
  const key = "pipeline.backoff_max_seconds";
  // Whichever of the two was set last, or in the strongest layer.
  const set = settings.findLast(({ path }) => path === key || path === "pipeline.backoff_seconds");
  const place = set === undefined ? "" : ` (${set.place()})`;
  throw new ConfigError(
    `${key}${place}: expected at least pipeline.backoff_seconds (${first}), got ${longest}`,
    { key },
  );
}

function misfit({
  key,
  value,
  place,
  cause,
}: Pick<Setting, "value" | "place"> & { key: Key; cause: unknown }): ConfigError {
  if (cause instanceof MisfitError) {
    const { path: inner, expected, actual } = cause;
    const path =
      key.path + inner.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
    return new ConfigError(`${path} (${place(inner)}): expected ${expected}, got ${actual}`, { key: path });
  }
  const actual = key.sensitive ? "something else" : show(value);
  return new ConfigError(`${key.path} (${place()}): expected ${key.format.expected}, got ${actual}`, {
    key: key.path,
  });
}

function settingsOfFile(file: string, known: Map<string, Key>): Setting[] {
  const sections = new Set([...known.keys()].map((path) => path.split(".")[0] ?? path));
  return readConfigFile(file).flatMap(({ name, value, place, keys }) => {
    if (known.has(name) && !name.includes(".")) return [{ path: name, value, source: file, file, place }];
    if (known.has(name)) {
      const [section, key] = name.split(".");
      throw new ConfigError(`${name} (${place()}): write it as {"${section}": {"${key}": ...}}`, {
        key: name,
      });
    }
    if (!sections.has(name)) throw unknownKey(name, place(), [...sections]);
    if (keys === null) {
      throw new ConfigError(`${name} (${place()}): expected an object, got ${kindOf(value)}`, { key: name });
    }
    return keys.map((key) => ({
      path: `${name}.${key.name}`,
      value: key.value,
      source: file,
      file,
      place: key.place,
    }));
  });
}

function settingsOfFlags(flags: Flag[], known: Map<string, Key>): Setting[] {
  return flags.map((given) => {
    const { path, flag } = given;
    const value = "value" in given ? given.value : known.get(path)?.format.parse(given.text);
    return { path, value, source: flag, place: () => flag };
  });
}

/**
 * Those that the service manager laid out; and without a service manager those beside the file, from which it takes
 * them. One that a variable or a flag replaces is not read: who may not read it can still work.
 */
function settingsOfCredentials({ file, env, flags = [] }: ConfigInput, known: Map<string, Key>): Setting[] {
  const laidOut = env.CREDENTIALS_DIRECTORY ? readCredentials(env.CREDENTIALS_DIRECTORY) : [];
  const isReplaced = (path: string): boolean =>
    env[known.get(path)?.env ?? ""] !== undefined || flags.some((flag) => flag.path === path);
  const beside =
    file === undefined || env.CREDENTIALS_DIRECTORY
      ? []
      : readCredentialsBeside(file, (key) => !isReplaced(key));
  const settingOf = ({ path, source, text }: Credential): Setting => ({
    path,
    value: known.get(path)?.format.parse(text),
    source,
    place: () => source,
  });
  return [...laidOut.map(settingOf), ...beside.map((each) => ({ ...settingOf(each), file: each.source }))];
}

/** Whether any URL in it has a part that is secret. */
function holdsSecret(value: unknown): boolean {
  if (typeof value === "string") return secretsOfUrl(value).length > 0;
  if (Array.isArray(value)) return value.some(holdsSecret);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsSecret);
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
    settings.push({ path: key.path, value: key.format.parse(text), source, place: () => source });
  }
  return settings;
}

function unknownKey(path: string, place: string, candidates: string[]): ConfigError {
  return new ConfigError(`${shorten(path)} (${place}): there is no such key${nearest(path, candidates)}`, {
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

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

/** As it would stand in the file. */
function show(value: unknown): string {
  return shorten(JSON.stringify(value) ?? String(value));
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
