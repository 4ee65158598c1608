import { parseDatabaseUrl } from "./database-url.js";

/** Takes every secret out of a text, and every character that would steer a terminal. */
export type Redact = (text: string) => string;

// user:password@, and what comes behind the host: providers put their keys into the path or the query.
const url = /\b(https?|wss?|postgres(?:ql)?):\/\/(?:[^\s/@"'`]*@)?([^\s/?#"'`\\]+)[^\s"'`\\)\]}>,;]*/gi;

/**
 * A Redact that shortens every URL to its scheme and host, and blots out the given secrets wherever
 * they stand: as they are, JSON-escaped, percent-encoded, or in base64, alone or inside a longer text.
 * `secrets` shorter than 4 characters are left: they would blot out ordinary text. What would steer a
 * terminal becomes U+FFFD (see `withoutControls`).
 */
export function createRedact(secrets: string[]): Redact {
  const spelt = secrets.filter((secret) => secret.length >= 4).flatMap(spellingsOf);
  const blots = [...new Set(spelt)].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text.replace(url, "$1://$2");
    for (const blot of blots) clean = clean.replaceAll(blot, "[redacted]");
    return withoutControls(clean);
  };
}

// The C0 and C1 controls but tab and the ends of lines, and what turns the direction of a text:
// https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
const controls = /\r(?!\n)|[^\P{Cc}\t\n\r]|\p{Bidi_Control}/gu;
// The same as JSON writes them, where no backslash before it makes it text.
const escaped =
  /(?<!\\)((?:\\\\)*)\\(?:b|f|r(?!\\n)|u(?:00(?:0[0-8bcef]|1[\da-f]|7f|[89][\da-f])|061c|200[ef]|202[a-e]|206[6-9]))/gi;

/**
 * A text with U+FFFD in place of each control and each change of direction, also of those that it holds JSON-escaped:
 * who reads a log line through `bunyan` or `jq` sees them decoded.
 */
export function withoutControls(text: string): string {
  return text.replace(controls, "\ufffd").replace(escaped, "$1\ufffd");
}

/** The same value, with each text in it redacted. */
export function redactTexts<T>(value: T, redact: Redact): T;
export function redactTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactTexts(each, redact));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, redactTexts(each, redact)]));
}

/** The secret parts of a URL: its user's password, its path, its query; each as written and decoded. */
export function secretsOfUrl(text: string): string[] {
  if (/^postgres(ql)?:/.test(text)) return passwordsOf(text);
  if (text === "" || !URL.canParse(text)) return [];
  const parsed = new URL(text);
  // Path and query of a node's URL may each be the key.
  const parts = [
    parsed.username,
    parsed.password,
    ...parsed.pathname.split("/").filter(looksSecret),
    ...parsed.searchParams.values(),
  ];
  return parts.flatMap((part) => (part === "" ? [] : [part, decode(part)]));
}

/** A database's path is its name, and nothing else of its URL is secret. One that is none is refused, and says nothing. */
function passwordsOf(url: string): string[] {
  try {
    const { password, writtenPassword } = parseDatabaseUrl(url);
    return [password, writtenPassword].filter((each) => each !== undefined);
  } catch {
    return [];
  }
}

// /v2/ and /rpc are words; keys are long.
function looksSecret(segment: string): boolean {
  return segment.length >= 8;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** How a secret may be written where it was passed on. */
function spellingsOf(secret: string): string[] {
  const once = JSON.stringify(secret).slice(1, -1);
  const twice = JSON.stringify(once).slice(1, -1);
  const percent = encodeURIComponent(secret);
  const everyByte = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  return [
    secret,
    once,
    twice,
    once.replaceAll("/", "\\/"),
    percent,
    percent.replaceAll(/%[\dA-F]{2}/g, (each) => each.toLowerCase()),
    everyByte,
    everyByte.toUpperCase(),
    ...base64SpellingsOf(secret),
  ];
}

/** A base64 that is shorter than this may be a part of any. */
const leastBase64 = 6;

/**
 * The characters that a secret alone decides of the base64 of a text around it, for each of the three ways in which it
 * may lie there (`user:password` in an Authorization header), in both alphabets.
 */
function base64SpellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const spelt = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Six bits a character: the first that holds none of the bytes before, and the last that holds none behind.
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return spelt
    .filter((text) => text.length >= leastBase64)
    .flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
}
